/**
 * What a session that has read something restricted writes into a file, a note or a ticket is read back under its label: by another
 * session, another person, another gateway, over both floors.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { say } from '../../../conformance/harness/model-answer.ts'
import { post } from '../../../conformance/harness/raw-http.ts'
import { startVendor, type VendorRequest } from '../../../conformance/harness/vendor.ts'
import { TurnwardError } from '../core/error.ts'
import type { JsonObject } from '../core/json.ts'
import { storeBackends, type TestStores } from '../store/backends.fixture.ts'
import type { Store } from '../store/store.ts'
import { configOf, type ConfigInput, type Floors, keys, openFloors } from './floors.fixture.ts'
import { vendorConfig, wires } from './vendors.fixture.ts'

const trusted = { trust: 'trusted' }
const changes = { output: trusted, effects: ['mutation'] }
const contracts: ConfigInput['contracts'] = {
  office__web: { output: { trust: 'untrusted' } },
  office__staff: { output: { trust: 'trusted', audience: ['@staff'] } },
  office__write: { ...changes, remembers: { by: 'path' } },
  office__move: { ...changes, remembers: { by: ['from', 'to'] } },
  office__read: { output: trusted, remembers: { by: ['path', 'paths'] } },
  office__list: { output: trusted, remembers: { by: 'path', below: true } },
  office__search: { output: trusted, remembers: 'all' },
  office__remember: { ...changes, remembers: 'all' },
  notes__read: { output: trusted, remembers: { by: 'path' } },
  office__send: { output: trusted, effects: ['egress'], requires: { trust: 'trusted' } },
}
const parts: ConfigInput = {
  contracts,
  servers: { office: { transport: 'http', url: 'http://127.0.0.1:9/mcp' }, notes: { transport: 'http', url: 'http://127.0.0.1:9/notes' } },
  gateways: { main: { servers: ['office', 'notes'] } },
}
const tools = Object.fromEntries(Object.keys(contracts).map((name) => [name, {}]))

/** A session of its own for each name: calls its tools one after the other, and says under which label they left it. */
function sessionsOf(floors: Floors, key = keys.alice) {
  return async (session: string, ...calls: readonly (readonly [tool: string, args?: JsonObject])[]) => {
    const context = await floors.context(key, 'x', 'main', { 'x-turnward-session': session })
    const results: JsonObject[] = []
    for (const [tool, args] of calls) results.push(await floors.call(context, tool, args))
    return {
      results,
      canSend: (await floors.call(context, 'office__send')).isError !== true,
      audience: floors.log.decisions('tool_call').at(-1)?.labelBefore?.audience,
    }
  }
}

describe.each(storeBackends)('on $name', ({ isMissing, make }) => {
  let stores: TestStores
  let store: Store
  let other: Store
  beforeAll(async () => {
    if (isMissing) return
    stores = await make()
    store = await stores.open()
    other = await stores.open()
  })
  afterAll(() => stores?.[Symbol.asyncDispose]())

  describe.skipIf(isMissing)('at the endpoint', () => {
    const web = ['office__web'] as const

    test('a file is read back under the label it was written with, at every gateway and by everybody', async () => {
      await using first = await openFloors({ config: configOf(parts), tools, store })
      await using second = await openFloors({ config: configOf(parts), tools, store: other })
      const [writer, reader, bob] = [sessionsOf(first), sessionsOf(second), sessionsOf(second, keys.bob)]
      await writer('w1', ['office__write', { path: '/own.md' }])
      await writer('w2', web, ['office__write', { path: '/notes/a.md' }])
      await writer('w3', ['office__staff'], ['office__write', { path: '/staff.md' }])
      expect(await reader('r1', ['office__read', { path: '/notes/a.md' }])).toMatchObject({ canSend: false })
      expect(await bob('r1', ['office__read', { path: 'NOTES/../notes/a.md' }])).toMatchObject({ canSend: false })
      expect(await reader('r2', ['office__read', { path: '/own.md' }])).toMatchObject({ canSend: true, audience: [] })
      expect(await reader('r3', ['office__read', { paths: ['/own.md', '/notes/a.md'] }])).toMatchObject({ canSend: false })
      expect(await bob('r4', ['office__read', { path: '/staff.md' }])).toMatchObject({ canSend: true, audience: [['@staff']] })
      expect(await reader('r5', ['office__list', { path: '/notes' }])).toMatchObject({ canSend: false })
      expect(await reader('r6', ['office__list', { path: '/other' }])).toMatchObject({ canSend: true })
      expect(await reader('r7', ['office__search', { query: 'x' }])).toMatchObject({ canSend: false, audience: [['@staff']] })
      expect(await reader('r8', ['office__read', {}])).toMatchObject({ canSend: false })
      // Another server keeps other files.
      expect(await reader('r9', ['notes__read', { path: '/notes/a.md' }])).toMatchObject({ canSend: true })
    })

    test('what was read back and is passed on keeps its label, in a session that has read nothing else', async () => {
      await using floors = await openFloors({ config: configOf(parts), tools, store })
      const alice = sessionsOf(floors)
      await alice('m1', web, ['office__write', { path: '/m/a.md' }])
      await alice('m2', ['office__move', { from: '/m/a.md', to: '/m/b.md' }])
      expect(await alice('m3', ['office__read', { path: '/m/b.md' }])).toMatchObject({ canSend: false })
      expect(await alice('m4', ['office__read', { path: '/m/c.md' }])).toMatchObject({ canSend: true })
    })

    test('a call that was refused has written nothing, one that failed may have', async () => {
      const limits = { ...contracts, office__write: { ...contracts['office__write'], requires: { trust: 'trusted' } } }
      const failing = { run: () => Promise.reject(new TurnwardError('mcp.server_timeout')) }
      await using floors = await openFloors({
        config: configOf({ ...parts, contracts: limits }),
        tools: { ...tools, office__move: failing },
        store,
      })
      const alice = sessionsOf(floors)
      await alice('f1', web, ['office__write', { path: '/f/a.md' }])
      expect(await alice('f2', ['office__read', { path: '/f/a.md' }])).toMatchObject({ canSend: true })
      await alice('f3', web, ['office__move', { from: '/f/b.md', to: '/f/c.md' }]).catch(() => {})
      expect(await alice('f4', ['office__read', { path: '/f/c.md' }])).toMatchObject({ canSend: false })
    })

    test('is forgotten when it is old, and not with the session that wrote it', async () => {
      const turns = { session_idle_ms: 60_000, mcp_idle_ms: 60_000, remembered_ms: 600_000 }
      await using floors = await openFloors({ config: configOf({ ...parts, turns }), tools, store })
      const alice = sessionsOf(floors)
      await alice('o1', web, ['office__write', { path: '/o/a.md' }])
      floors.clock.advance(500_000)
      expect(await alice('o2', ['office__read', { path: '/o/a.md' }])).toMatchObject({ canSend: false })
      floors.clock.advance(100_000)
      expect(await alice('o3', ['office__read', { path: '/o/a.md' }])).toMatchObject({ canSend: true })
    })

    test('what cannot be noted is not written, and what cannot be looked up is not read', async () => {
      const failed = new TurnwardError('store.failed', { why: 'it is down' })
      const down = {
        add: () => Promise.reject(failed),
        labels: (...args: Parameters<Store['remembered']['labels']>) =>
          args[1] === undefined ? Promise.reject(failed) : Promise.resolve([]),
      }
      await using floors = await openFloors({ config: configOf(parts), tools, store: { remembered: down } })
      const context = await floors.context(keys.alice, 'x')
      await floors.call(context, 'office__write', { path: '/a' })
      await expect(floors.call(context, 'office__search')).rejects.toMatchObject({ code: 'store.failed' })
      await floors.call(context, 'office__web')
      await expect(floors.call(context, 'office__write', { path: '/a' })).rejects.toMatchObject({ code: 'store.failed' })
      expect(floors.ran.map(({ tool }) => tool)).toEqual(['office__write', 'office__search', 'office__web'])
      expect(floors.log.records.filter(({ type, kind }) => type === 'outcome' && kind === 'tool_call').at(-1)).toMatchObject({
        errorCode: 'store.failed',
      })
    })

    test('what has a source of its own is as trusted as that, whatever else its session has read', async () => {
      const said = { path: '/said/plan.md', text: 'buy 12 apples' }
      const roles = { path: 'destination', text: { role: 'content', trust: 'trusted' }, more: 'content' } as const
      const withRoles = { ...contracts, office__write: { ...contracts['office__write'], args: roles }, office__plan: { output: trusted } }
      const own = { ...tools, office__plan: { run: () => ({ content: [{ type: 'text', text: JSON.stringify(said) }] }) } }
      const open = (policy: ConfigInput['policy']) =>
        openFloors({ config: configOf({ ...parts, contracts: withRoles, policy }), tools: own, store })
      const plan = ['office__plan'] as const
      const read = ['office__read', { path: said.path }] as const
      await using floors = await open({})
      const alice = sessionsOf(floors)
      await alice('s1', plan, web, ['office__write', said])
      expect(floors.ran.at(-1)?.tool).toBe('office__write')
      expect(await alice('s2', read)).toMatchObject({ canSend: true })
      // Who may read it is another question.
      await alice('s3', plan, ['office__staff'], web, ['office__write', said])
      expect(await alice('s4', read)).toMatchObject({ canSend: true, audience: [['@staff']] })
      await alice('s5', plan, web, ['office__write', { ...said, text: 'send them all' }])
      expect(await alice('s6', read)).toMatchObject({ canSend: true })
      await alice('s7', plan, web, ['office__write', { ...said, more: 'of a stranger' }])
      expect(await alice('s8', read)).toMatchObject({ canSend: false })
      // What runs because nothing is enforced has no source.
      const path = '/said/other.md'
      await using observing = await open({ posture: 'observe' })
      await sessionsOf(observing)('s9', plan, web, ['office__write', { path, text: 'send them all' }])
      expect(await alice('s10', ['office__read', { path }])).toMatchObject({ canSend: false })
    })

    test('what a person lets go is written under the label its session has then, and no source is made of their word', async () => {
      const approval = { from: ['bob'] }
      const asks: ConfigInput = {
        ...parts,
        approvals: { hold_ms: 60_000 },
        contracts: {
          ...contracts,
          office__write: { ...contracts['office__write'], requires: { approval } },
          office__move: {
            ...contracts['office__move'],
            args: { from: 'authority', to: 'destination' },
            requires: { approval: { ...approval, instead_of: ['provenance'] } },
          },
        },
      }
      await using floors = await openFloors({ config: configOf(asks), tools, store, approvals: store.approvals })
      const alice = sessionsOf(floors)
      const { approvals } = floors.services
      const letGo = async (running: Promise<unknown>, meanwhile: () => Promise<unknown>) => {
        const bob = { id: 'bob', groups: [] }
        let [found] = await approvals.list(bob, { isPending: true, most: 1 })
        while (found === undefined) [found] = await approvals.list(bob, { isPending: true, most: 1 })
        await meanwhile()
        await approvals.rule(found.id, bob, { ruling: 'approve', via: 'api' })
        await running
      }
      await letGo(alice('h1', ['office__write', { path: '/held/a.md' }]), () => alice('h1', web))
      await letGo(alice('h2', web, ['office__move', { from: '/held/x.md', to: '/held/b.md' }]), async () => {})
      expect(floors.ran.filter(({ tool }) => tool === 'office__write' || tool === 'office__move')).toHaveLength(2)
      expect(await alice('h3', ['office__read', { path: '/held/a.md' }])).toMatchObject({ canSend: false })
      expect(await alice('h4', ['office__read', { path: '/held/b.md' }])).toMatchObject({ canSend: false })
    })

    test('a note without a name is in everything that is read', async () => {
      await using own = await make()
      await using floors = await openFloors({ config: configOf(parts), tools, store: await own.open() })
      const alice = sessionsOf(floors)
      await alice('n1', ['office__remember', { note: 'x' }])
      expect(await alice('n2', ['office__search'])).toMatchObject({ canSend: true })
      await alice('n3', web, ['office__remember', { note: 'x' }])
      expect(await alice('n4', ['office__search'])).toMatchObject({ canSend: false })
      expect(await alice('n5', ['office__read', { path: '/anything' }])).toMatchObject({ canSend: false })
    })
  })

  describe.skipIf(isMissing).each(wires)('at the model floor ($path, stream: $stream)', ({ kind, path, stream }) => {
    const ofClient: ConfigInput = {
      turns: { unknown_history: 'accept' },
      contracts: {
        web: { output: { trust: 'untrusted' } },
        keep: { ...changes, remembers: { by: 'name' } },
        recall: { output: trusted, remembers: { by: 'name' } },
        send: { output: trusted, effects: ['egress'], requires: { trust: 'trusted' } },
      },
    }
    const model = (request: VendorRequest) => {
      const text = JSON.stringify(request.body.messages)
      if (text.includes('not run')) return say(request, { text: 'I may not.' })
      const name = /call (keep|send)/.exec(text)?.[1] ?? ''
      return say(request, {
        calls: [{ id: `${name}_1`, name, args: name === 'keep' ? { name: /note \w+/.exec(text)?.[0] ?? '', text: 'x' } : {} }],
      })
    }
    const ask = (floors: Floors, user: string, tool: string, args: JsonObject, key = keys.alice) =>
      post(
        `${floors.url}${path}`,
        key,
        {
          model: 'm',
          max_tokens: 100,
          stream,
          messages: [{ role: 'user', content: user }, ...historyOf(kind, tool, args, `what it says to ${user}`)],
        },
        { 'x-turnward-session': `${user} ${tool}`.replaceAll(' ', '-') },
      )

    test('a note that a client keeps for its person is read back under its label', async () => {
      await using own = await make()
      await using vendor = await startVendor(model)
      const config = vendorConfig(kind, vendor.url, ofClient)
      await using first = await openFloors({ config, store: await own.open() })
      await using second = await openFloors({ config, store: await own.open() })
      const note = async (name: string, key = keys.alice) =>
        (await ask(second, `call send ${name}`, 'recall', { name }, key)).text.includes('send_1')
      expect(await note('note a')).toBe(true)
      expect((await ask(first, 'call keep of note a', 'web', {})).text).toContain('keep_1')
      expect(await note('note a b')).toBe(true)
      expect((await ask(second, 'call send note a again', 'recall', { name: 'note a' })).text).not.toContain('send_1')
      expect((await ask(second, 'call send note a at last', 'recall', {})).text).not.toContain('send_1')
      // A client of somebody else keeps other notes.
      expect(await note('note a', keys.bob)).toBe(true)
    })

    test('a call is not released before what it writes was noted', async () => {
      await using vendor = await startVendor(model)
      const down = { add: () => Promise.reject(new TurnwardError('store.failed')), labels: () => Promise.resolve([]) }
      await using floors = await openFloors({ config: vendorConfig(kind, vendor.url, ofClient), store: { remembered: down } })
      expect((await ask(floors, 'call keep of note a', 'recall', { name: 'x' })).text).toContain('keep_1')
      const { text } = await ask(floors, 'call keep of note a', 'web', {})
      expect(text).toContain('store.failed')
      expect(text).not.toContain('keep_1')
    })
  })
})

function historyOf(kind: string, name: string, args: JsonObject, text: string): readonly JsonObject[] {
  const id = `made_${name}`
  if (kind === 'openai')
    return [
      { role: 'assistant', content: null, tool_calls: [{ id, type: 'function', function: { name, arguments: JSON.stringify(args) } }] },
      { role: 'tool', tool_call_id: id, content: text },
    ]
  return [
    { role: 'assistant', content: [{ type: 'tool_use', id, name, input: args }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: text }] },
  ]
}
