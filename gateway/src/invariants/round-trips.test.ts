/** How often a call goes to a state that is elsewhere: every time is added to its latency, so that the number may not grow unnoticed. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { say } from '../../../conformance/harness/model-answer.ts'
import { post } from '../../../conformance/harness/raw-http.ts'
import { startVendor, type Vendor } from '../../../conformance/harness/vendor.ts'
import { MemoryPlace } from '../state/versioned/memory-place.fixture.ts'
import { VersionedState } from '../state/versioned/versioned-state.ts'
import { testClock } from '../turns/state-and-clock.fixture.ts'
import { keys, openFloors, type Floors } from './floors.fixture.ts'
import { vendorConfig } from './vendors.fixture.ts'

const contracts = {
  office__note: { output: { trust: 'trusted' }, effects: ['noted'] },
  office__web: { output: { trust: 'untrusted' } },
}
const answers = { content: [{ type: 'text', text: 'done' }] }
const tools = Object.fromEntries(Object.keys(contracts).map((name) => [name, { run: () => answers }]))
const offered = Object.keys(contracts).map((name) => ({ type: 'function', function: { name, parameters: {} } }))

let vendor: Vendor
let place: MemoryPlace
let floors: Floors

beforeAll(async () => {
  vendor = await startVendor((request) => {
    const last = JSON.stringify(request.body.messages?.at(-1))
    const tool = /use (office__\w+)/.exec(last)?.[1]
    return say(request, tool === undefined ? { text: 'Well.' } : { calls: [{ id: `call_${place.trips}`, name: tool, args: {} }] })
  })
  place = new MemoryPlace(testClock())
  floors = await openFloors({ config: vendorConfig('openai', vendor.url, { contracts }), tools, state: new VersionedState(place) })
})
afterAll(async () => {
  await floors[Symbol.asyncDispose]()
  await vendor.close()
})

/** A conversation, and how often each request of it went to the state. */
class Conversation {
  readonly messages: object[] = []

  async says(text: string): Promise<number> {
    this.messages.push({ role: 'user', content: text })
    return this.goesOn()
  }

  async goesOn(): Promise<number> {
    const before = place.trips
    const reply = await post(`${floors.url}/v1/chat/completions`, keys.alice, { model: 'm', messages: this.messages, tools: offered })
    expect(reply.status, reply.text).toBe(200)
    const { message } = (JSON.parse(reply.text) as { choices: { message: object }[] }).choices[0] as { message: object }
    this.messages.push(message)
    return place.trips - before
  }

  async runs(tool: string): Promise<number> {
    const context = await floors.context(keys.alice, 'a client')
    const before = place.trips
    const { isError } = await floors.call(context, tool)
    expect(isError).not.toBe(true)
    const calls = (this.messages.at(-1) as { tool_calls: { id: string }[] }).tool_calls
    this.messages.push({ role: 'tool', tool_call_id: calls[0]?.id, content: 'done' })
    return place.trips - before
  }
}

// Those after the answer included: what a call leaves behind is on its way before the client can read the answer.
test('a warm model call goes there twice, one that proposes a call four times, and a tool call five times at most', async () => {
  const talk = new Conversation()
  await talk.says('hello')
  await talk.says('use office__note')
  await talk.runs('office__note')
  await talk.goesOn()
  expect(await talk.says('and?')).toBeLessThanOrEqual(2)
  for (const tool of ['office__note', 'office__web']) {
    expect(await talk.says(`use ${tool}`)).toBeLessThanOrEqual(4)
    expect(await talk.runs(tool)).toBeLessThanOrEqual(5)
    expect(await talk.goesOn()).toBeLessThanOrEqual(2)
  }
  // However long the conversation is.
  for (let turn = 0; turn < 10; turn += 1) expect(await talk.says(`${turn}`)).toBeLessThanOrEqual(2)
})
