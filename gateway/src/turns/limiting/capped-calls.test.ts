/** What one turn and one session may do is counted over both floors and all gateways; beyond it calls are refused, and the model is told what to do. */
import { describe, expect, test } from 'vitest'
import { say } from '../../../../conformance/harness/model-answer.ts'
import { post } from '../../../../conformance/harness/raw-http.ts'
import { startVendor, type VendorRequest } from '../../../../conformance/harness/vendor.ts'
import type { JsonObject } from '../../core/json.ts'
import { configOf, type ConfigInput, type Floors, keys, openFloors } from '../../invariants/floors.fixture.ts'
import { sharingWays } from '../../invariants/sharing.fixture.ts'
import { vendorConfig, wires } from '../../invariants/vendors.fixture.ts'

type Caps = NonNullable<NonNullable<ConfigInput['turns']>['caps']>

const contracts: ConfigInput['contracts'] = Object.fromEntries(
  ['office__read', 'office__send', 'look', 'Task'].map((name) => [name, { output: { trust: 'trusted' } }]),
)
const parts = (caps: Caps): ConfigInput => ({ contracts, turns: { caps } })
const tools = { office__read: {}, office__send: {} }

async function call(floors: Floors, session: string, tool: string, args: JsonObject = {}): Promise<string> {
  const result = await floors.call(await floors.context(keys.alice, 'x', 'main', { 'x-turnward-session': session }), tool, args)
  return result.isError === true ? JSON.stringify(result.content) : 'ran'
}

describe.each(sharingWays)('at two gateways over $way', ({ isMissing, open }) => {
  test.skipIf(isMissing)('a session makes as many calls as it may, also when they come at once', async () => {
    await using shared = await open(1)
    const config = configOf(parts({ session: { calls: 5 } }))
    await using first = await openFloors({ config, tools, state: shared.here })
    await using second = await openFloors({ config, tools, state: shared.there })
    const made = await Promise.all(
      Array.from({ length: 8 }, (_, number) => call(number % 2 === 0 ? first : second, 'one', 'office__read', { number })),
    )
    const refused = made.filter((one) => one !== 'ran')
    expect(refused).toHaveLength(3)
    expect(refused[0]).toContain('This session has made the 5 tool calls it may make.')
    expect(refused[0]).toContain('it can go on in a new conversation')
    expect([...first.ran, ...second.ran]).toHaveLength(5)
    expect(await call(second, 'two', 'office__read')).toBe('ran')
    const records = [...first.log.decisions('tool_call'), ...second.log.decisions('tool_call')].filter(({ action }) => action === 'refuse')
    expect(records.map(({ rules, gaps }) => [rules, gaps?.map(({ kind }) => kind)])).toEqual(
      Array.from({ length: 3 }, () => [['turns.caps.session.calls'], ['limit']]),
    )
  })

  test.skipIf(isMissing)('the same call is made as often as it may be, and others go on', async () => {
    await using shared = await open(2)
    const config = configOf({ ...parts({ session: { identical_calls: 2 } }), policy: { posture: 'observe' } })
    await using first = await openFloors({ config, tools, state: shared.here })
    await using second = await openFloors({ config, tools, state: shared.there })
    expect(await call(first, 'one', 'office__read', { a: 1, b: 2 })).toBe('ran')
    expect(await call(second, 'one', 'office__read', { b: 2, a: 1 })).toBe('ran')
    const refused = await call(first, 'one', 'office__read', { a: 1, b: 2 })
    expect(refused).toContain('This very call was made 2 times in this session, and may not be made again.')
    expect(refused).toContain('do something else')
    expect(await call(first, 'one', 'office__send', { a: 1, b: 2 })).toBe('ran')
    expect(await call(first, 'one', 'office__read', { a: 2, b: 2 })).toBe('ran')
    expect(await call(second, 'two', 'office__read', { a: 1, b: 2 })).toBe('ran')
  })
})

test('a session is at work as long as it may be, from its first call on, however long it rests in between', async () => {
  await using floors = await openFloors({ config: configOf(parts({ session: { ms: 60_000 } })), tools })
  expect(await call(floors, 'one', 'office__read', { at: 0 })).toBe('ran')
  floors.clock.advance(60_000)
  expect(await call(floors, 'one', 'office__read', { at: 1 })).toBe('ran')
  floors.clock.advance(1)
  expect(await call(floors, 'one', 'office__read', { at: 2 })).toContain('This session has been at work for the 60 seconds it may be.')
  expect(await call(floors, 'two', 'office__read')).toBe('ran')
})

describe.each(wires)('at the model floor ($path, stream: $stream)', ({ kind, path, stream }) => {
  /** Does the same again and again, until it is told that it did not run. */
  const circling = (name: string) => {
    let number = 0
    return (request: VendorRequest) => {
      const last = JSON.stringify(request.body.messages).slice(-900)
      if (last.includes('not run')) return say(request, { text: 'I was told.' })
      return say(request, { calls: [{ id: `call_${(number += 1)}`, name, args: { path: '/a' } }] })
    }
  }
  const named = { 'x-turnward-session': 'one' }
  const ask = (floors: Floors, user: string, headers: Readonly<Record<string, string>> = named, history: readonly JsonObject[] = []) =>
    post(
      `${floors.url}${path}`,
      keys.alice,
      { model: 'm', max_tokens: 100, stream, messages: [{ role: 'user', content: user }, ...history] },
      headers,
    )
  const rules = (floors: Floors) => floors.log.decisions('tool_proposal').map((one) => (one.action === 'refuse' ? one.rules : one.action))

  test('a model that runs in a circle is told, and a new message of its person begins anew', async () => {
    await using vendor = await startVendor(circling('look'))
    await using floors = await openFloors({ config: vendorConfig(kind, vendor.url, parts({ turn: { identical_calls: 2 } })) })
    const history: JsonObject[] = []
    for (const number of [1, 2]) {
      expect((await ask(floors, 'Go.', named, history)).text).toContain(`call_${number}`)
      history.push(...madeCall(kind, `call_${number}`))
    }
    const { text } = await ask(floors, 'Go.', named, history)
    expect(text).toContain('I was')
    expect(text).not.toContain('call_3')
    expect(JSON.stringify(vendor.requests.at(-1)?.body)).toContain('This very call was made 2 times in this turn')
    expect((await ask(floors, 'Go on.')).text).toContain('call_4')
    expect(rules(floors)).toEqual(['release', 'release', ['turns.caps.turn.identical_calls'], 'release'])
  })

  test('a call that a model proposes and that comes to the endpoint is one', async () => {
    await using vendor = await startVendor(circling('office__read'))
    await using floors = await openFloors({ config: vendorConfig(kind, vendor.url, parts({ session: { calls: 2 } })), tools })
    for (const number of [1, 2]) {
      expect((await ask(floors, 'Go.')).text).toContain(`call_${number}`)
      expect(await call(floors, 'one', 'office__read', { path: '/a' })).toBe('ran')
    }
    expect((await ask(floors, 'Go.')).text).toContain('I was')
    expect(await call(floors, 'one', 'office__send')).toContain('2 tool calls')
  })

  test('agents start agents as deep as they may', async () => {
    await using vendor = await startVendor(circling('Task'))
    await using floors = await openFloors({ config: vendorConfig(kind, vendor.url, parts({ depth: 2 })) })
    const session = { 'user-agent': 'claude-cli/2.1.332 (external, sdk-cli)', 'x-claude-code-session-id': '7d9f' }
    const agent = (id: string, parent?: string) =>
      ask(floors, `Task of ${id}`, {
        ...session,
        'x-claude-code-agent-id': id,
        ...(parent === undefined ? {} : { 'x-claude-code-parent-agent-id': parent }),
      })
    expect((await ask(floors, 'Go.', session)).text).toContain('call_1')
    expect((await agent('a1')).text).toContain('call_2')
    expect((await agent('b2', 'a1')).text).toContain('I was')
    expect(JSON.stringify(vendor.requests.at(-1)?.body)).toContain('do the task yourself')
    expect(rules(floors)).toEqual(['release', 'release', ['turns.caps.depth']])
  })
})

function madeCall(kind: string, id: string): readonly JsonObject[] {
  if (kind === 'openai')
    return [
      { role: 'assistant', content: null, tool_calls: [{ id, type: 'function', function: { name: 'look', arguments: '{"path":"/a"}' } }] },
      { role: 'tool', tool_call_id: id, content: 'nothing yet' },
    ]
  return [
    { role: 'assistant', content: [{ type: 'tool_use', id, name: 'look', input: { path: '/a' } }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'nothing yet' }] },
  ]
}
