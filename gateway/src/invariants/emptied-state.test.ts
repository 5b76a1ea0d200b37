/** What it means that the shared state was emptied in the middle of a conversation: what is shown still counts, and what nobody knows narrows. */
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { say } from '../../../conformance/harness/model-answer.ts'
import { post } from '../../../conformance/harness/raw-http.ts'
import { startVendor } from '../../../conformance/harness/vendor.ts'
import { redisProgram, startRedis, type RedisServer } from '../../../scripts/services/redis.ts'
import { onValkey } from '../state/backends.fixture.ts'
import { keys, openFloors } from './floors.fixture.ts'
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
