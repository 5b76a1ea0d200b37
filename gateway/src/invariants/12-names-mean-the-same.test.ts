/** Invariant 12: what a name means, and so what a result adds to a label, does not depend on which servers are up. */
import { describe, expect, test } from 'vitest'
import { say } from '../../../conformance/harness/model-answer.ts'
import { post } from '../../../conformance/harness/raw-http.ts'
import { startVendor } from '../../../conformance/harness/vendor.ts'
import { keys, openFloors, type Floors } from './floors.fixture.ts'
import { vendorConfig } from './vendors.fixture.ts'

const contracts = {
  office__personnel: { output: { trust: 'trusted', audience: ['@staff'] } },
  office__send: { effects: ['egress'], requires: { trust: 'trusted' }, output: { trust: 'trusted' } },
  read: { output: { trust: 'untrusted' } },
}
const tools = { office__personnel: {}, office__send: {} }
const wrapped = { turns: { call_through: { run_any: {} } } }

const calls = (...made: readonly [string, string, object?][]) => ({
  role: 'assistant',
  content: null,
  tool_calls: made.map(([id, name, args = {}]) => ({ id, type: 'function', function: { name, arguments: JSON.stringify(args) } })),
})
const result = (id: string, content: string) => ({ role: 'tool', tool_call_id: id, content })

async function labelOf(floors: Floors, headers: Readonly<Record<string, unknown>>): Promise<unknown> {
  return (await floors.services.sessions.find(String(headers['x-turnward-session']), floors.services.snapshot().policy, 60_000))
    ?.policyState.label
}

describe.each([
  ['up', []],
  ['down', ['office']],
])('while its server is %s', (_state, down) => {
  test.each([
    ['mcp__tw__office__personnel', {}],
    ['tw_office__personnel', {}],
    ['foo.bar:office__personnel', {}],
    ['run_any', { name: 'mcp__tw__office__personnel', arguments: {} }],
  ])('a result of a tool called as %s adds what its contract says', async (name, args) => {
    await using vendor = await startVendor((request) =>
      say(request, request.body.messages.length === 1 ? { calls: [{ id: 'c1', name, args }] } : { text: 'Well.' }),
    )
    await using floors = await openFloors({ config: vendorConfig('openai', vendor.url, { contracts, ...wrapped }), tools, down })
    const ask = (messages: object[]) => post(`${floors.url}/v1/chat/completions`, keys.alice, { model: 'm', messages })
    await ask([{ role: 'user', content: 'go' }])
    const { headers } = await ask([{ role: 'user', content: 'go' }, calls(['c1', name, args]), result('c1', 'salaries')])
    expect(await labelOf(floors, headers)).toEqual({ trust: 1, audience: [['@staff']] })
  })
})

// What a client's own reader has read must not be written away by a tool of ours, whatever the client calls it.
describe.each([
  ['office__send', {}],
  ['mcp__tw__office__send', {}],
  ['tw_office__send', {}],
  ['tw__office__send', {}],
  ['foo.bar:office__send', {}],
  ['foo.bar:send', {}],
  ['run_any', { name: 'mcp__tw__office__send', arguments: {} }],
  ['run_any', { name: 'tw_office__send', arguments: '{}' }],
])('after an untrusted read, a call named %s %j', (name, args) => {
  const ask = (floors: Floors, messages: object[]) =>
    post(`${floors.url}/v1/chat/completions`, keys.alice, {
      model: 'm',
      messages,
      tools: [{ type: 'function', function: { name, parameters: { type: 'object' } } }],
    })

  test('is refused when the model proposes it', async () => {
    await using vendor = await startVendor((request) =>
      say(request, { calls: [request.index === 0 ? { id: 'c1', name: 'read' } : { id: 'c2', name, args }] }),
    )
    await using floors = await openFloors({ config: vendorConfig('openai', vendor.url, { contracts, ...wrapped }), tools })
    await ask(floors, [{ role: 'user', content: 'go' }])
    await ask(floors, [{ role: 'user', content: 'go' }, calls(['c1', 'read']), result('c1', 'do evil')])
    const decided = floors.log.records.filter((one) => one.kind === 'tool_proposal' && one.subject === 'office__send')
    expect(decided.length).toBeGreaterThan(0)
    expect(decided.every(({ action }) => action === 'refuse')).toBe(true)
    expect(decided[0]?.calledAs).toBe(name === 'office__send' ? undefined : name)
  })

  test('does not run when the client makes it all the same', async () => {
    await using vendor = await startVendor((request) =>
      say(request, { calls: [request.index === 0 ? { id: 'c1', name: 'read' } : { id: 'c2', name, args }] }),
    )
    await using floors = await openFloors({ config: vendorConfig('openai', vendor.url, { contracts, ...wrapped }), tools })
    await ask(floors, [{ role: 'user', content: 'go' }])
    await ask(floors, [{ role: 'user', content: 'go' }, calls(['c1', 'read']), result('c1', 'do evil')])
    const sent = await floors.call(await floors.context(keys.alice, 'anybody'), 'office__send')
    expect(sent.isError).toBe(true)
    expect(floors.ran).toEqual([])
  })
})

test('a call-through tool whose inner call cannot be read is refused, and says so', async () => {
  await using vendor = await startVendor((request) =>
    say(request, request.index === 0 ? { calls: [{ id: 'c1', name: 'run_any', args: { what: 'ever' } }] } : { text: 'Well.' }),
  )
  await using floors = await openFloors({ config: vendorConfig('openai', vendor.url, { contracts, ...wrapped }), tools })
  const answer = await post(`${floors.url}/v1/chat/completions`, keys.alice, { model: 'm', messages: [{ role: 'user', content: 'go' }] })
  expect(answer.text).not.toContain('run_any","arguments')
  expect(floors.log.records.find(({ kind }) => kind === 'tool_proposal')).toMatchObject({
    subject: 'run_any',
    action: 'refuse',
    gaps: [{ kind: 'argument' }],
  })
})
