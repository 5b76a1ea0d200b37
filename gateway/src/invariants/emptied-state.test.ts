/** What it means that the shared state was emptied: what is shown still counts, and what nobody knows narrows. Nothing widens. */
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { say } from '../../../conformance/harness/model-answer.ts'
import { post } from '../../../conformance/harness/raw-http.ts'
import { startVendor } from '../../../conformance/harness/vendor.ts'
import { MemoryPlace } from '../state/versioned/memory-place.fixture.ts'
import { VersionedState } from '../state/versioned/versioned-state.ts'
import { forCall } from '../turns/state-of-call.ts'
import { testClock, type TestClock } from '../turns/state-and-clock.fixture.ts'
import { redisProgram, startRedis, type RedisServer } from '../../../scripts/services/redis.ts'
import { onValkey } from '../state/backends.fixture.ts'
import { keys, openFloors, type Floors } from './floors.fixture.ts'
import { vendorConfig } from './vendors.fixture.ts'

const contracts = {
  office__web: { output: { trust: 'untrusted' } },
  office__note: { output: { trust: 'trusted' } },
  office__mail: { output: { trust: 'trusted' }, requires: { trust: 'trusted' } },
}
const tools = Object.fromEntries(Object.keys(contracts).map((name) => [name, {}]))

describe.skipIf(redisProgram() === undefined)('when the shared state was emptied', () => {
  let redis: RedisServer
  let client: Redis
  beforeAll(async () => {
    redis = await startRedis()
    client = new Redis(redis.url)
  })
  afterAll(async () => {
    client?.disconnect()
    await redis?.[Symbol.asyncDispose]()
  })

  const made = (id: string, name: string) => ({
    role: 'assistant',
    content: null,
    tool_calls: [{ id, type: 'function', function: { name, arguments: '{}' } }],
  })
  const result = (id: string, content: string) => ({ role: 'tool', tool_call_id: id, content })

  /** One conversation that has made one call, and then goes on to mail: whether the mail was proposed, and how its call ended. */
  async function mails(read: 'office__web' | 'office__note', isEmptied: boolean): Promise<{ proposed: unknown; ticket: unknown }> {
    await using shared = onValkey(redis.url)
    await using vendor = await startVendor((request) => {
      const asked = request.body.messages.length
      if (asked === 1) return say(request, { calls: [{ id: 'c1', name: read, args: {} }] })
      return asked === 3 ? say(request, { calls: [{ id: 'c2', name: 'office__mail', args: {} }] }) : say(request, { text: 'Well.' })
    })
    await using floors = await openFloors({ config: vendorConfig('openai', vendor.url, { contracts }), tools, state: await shared.open() })
    const ask = (messages: readonly object[]) => post(`${floors.url}/v1/chat/completions`, keys.alice, { model: 'm', messages })
    const user = { role: 'user', content: 'Read it and mail it, please.' }
    await ask([user])
    if (isEmptied) await client.flushall()
    await floors.call(await floors.context(keys.alice, 'x'), read)
    const { ticket } = floors.log.records.findLast(({ kind, type }) => kind === 'tool_call' && type === 'decision') ?? {}
    if (isEmptied) await client.flushall()
    await ask([user, made('c1', read), result('c1', 'What was read.')])
    const proposed = floors.log.records.findLast(({ kind, toolCallId }) => kind === 'tool_proposal' && toolCallId === 'c2')?.action
    return { proposed, ticket }
  }

  test('tickets are gone: no call is taken for one that was proposed before', async () => {
    expect((await mails('office__note', false)).ticket).toBe('matched')
    expect((await mails('office__note', true)).ticket).not.toBe('matched')
  })

  test('places, labels and sessions are gone: a conversation that goes on counts as one nobody knows, and narrows', async () => {
    expect((await mails('office__note', false)).proposed).toBe('release')
    expect((await mails('office__note', true)).proposed).toBe('refuse')
  })

  test('what the history still shows to be untrusted is untrusted', async () => {
    expect((await mails('office__web', false)).proposed).toBe('refuse')
    expect((await mails('office__web', true)).proposed).toBe('refuse')
  })
})

describe('after the shared state was emptied, for as long as anything lost could have lived', () => {
  const guarded = {
    ...contracts,
    office__pay: { output: { trust: 'trusted' }, effects: ['paid'], requires: { not_done: ['paid'] } },
  }
  const all = Object.fromEntries(Object.keys(guarded).map((name) => [name, {}]))

  /** Runs a step at a gateway whose state is elsewhere; `lose` empties that. */
  async function atGateway<R>(step: (floors: Floors, lose: () => void, clock: TestClock) => Promise<R>): Promise<R> {
    const clock = testClock()
    const place = new MemoryPlace(clock)
    await using vendor = await startVendor((request) => say(request, { calls: [{ id: 'c1', name: 'office__mail', args: {} }] }))
    const config = vendorConfig('openai', vendor.url, { contracts: guarded })
    await using floors = await openFloors({ config, tools: all, state: new VersionedState(place) })
    return await step(floors, () => place.empty(), clock)
  }

  const connection = (floors: Floors, session?: string) =>
    floors.context(keys.alice, 'x', 'main', session === undefined ? {} : { 'x-turnward-session': session })

  /** What became of a call. */
  async function run(floors: Floors, tool: string, session?: string): Promise<unknown> {
    await floors.call(await connection(floors, session), tool)
    return floors.log.records.findLast(({ kind, type }) => kind === 'tool_call' && type === 'decision')?.action
  }

  /** What became of the mail a new conversation proposes. */
  async function proposed(floors: Floors, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const body = { model: 'm', messages: [{ role: 'user', content: `Mail it, please (${Math.random()}).` }] }
    await post(`${floors.url}/v1/chat/completions`, keys.alice, body, headers)
    return floors.log.records.findLast(({ kind }) => kind === 'tool_proposal')?.action
  }

  test.each([
    ['of a connection', undefined],
    ['that is named', 'mine'],
  ])('an MCP session %s may have read anything and done anything', (_, session) =>
    atGateway(async (floors, lose, clock) => {
      expect([await run(floors, 'office__mail', session), await run(floors, 'office__pay', session)]).toEqual(['release', 'release'])
      lose()
      expect(await run(floors, 'office__mail', session)).toBe('refuse')
      expect(await run(floors, 'office__pay', session)).toBe('refuse')
      expect(await run(floors, 'office__note', session)).toBe('release')
      clock.advance(25 * 3_600_000)
      expect([await run(floors, 'office__mail', session), await run(floors, 'office__pay', session)]).toEqual(['release', 'release'])
    }),
  )

  test('a conversation may be that of an agent whose task came from anywhere, whatever it is called', () =>
    atGateway(async (floors, lose, clock) => {
      expect([await proposed(floors), await proposed(floors, { 'x-turnward-session': 'mine' })]).toEqual(['release', 'release'])
      lose()
      expect([await proposed(floors), await proposed(floors, { 'x-turnward-session': 'other' })]).toEqual(['refuse', 'refuse'])
      clock.advance(25 * 3_600_000)
      expect([await proposed(floors), await proposed(floors, { 'x-turnward-session': 'third' })]).toEqual(['release', 'release'])
    }))

  test('what narrowed it is told by name', () =>
    atGateway(async (floors, lose) => {
      lose()
      await run(floors, 'office__mail')
      const refused = floors.log.records.findLast(({ action }) => action === 'refuse')
      expect(refused?.reason).toContain('`untrusted`')
      const session = await forCall(floors.services, { principal: { id: 'alice' } }).sessions.find(
        refused?.session ?? '',
        floors.services.snapshot().policy,
        1e9,
      )
      expect(session?.state.narrowedBy).toEqual(['lost-history'])
    }))
})
