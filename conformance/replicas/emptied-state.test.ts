/** A shared state that was emptied under work: what nobody knows any more narrows at every replica, it is said, and a person may end it. */
import { rm } from 'node:fs/promises'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startRedis, type RedisServer } from '../../scripts/services/redis.ts'
import type { RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { hasServices, makePlaces, testServices } from '../harness/replicas.ts'
import { put } from '../mcp/ledger-place.ts'
import { replicatedLedger, type ReplicatedLedger } from './replicated-ledger.ts'

describe.skipIf(!hasServices)('after the shared state was emptied', () => {
  let redis: RedisServer
  let client: Redis
  let ledger: ReplicatedLedger
  let gateways: readonly RunningGateway[] = []

  beforeAll(async () => {
    redis = await startRedis()
    client = new Redis(redis.url)
    ledger = await replicatedLedger(await makePlaces(testServices.postgres, redis.url), {
      contracts: { ledger__put: { output: { trust: 'trusted' }, requires: { trust: 'trusted' } } },
    })
    gateways = await Promise.all(['one', 'other'].map((name) => ledger.start(name)))
  })
  afterAll(async () => {
    await Promise.all(gateways.map((gateway) => gateway.stop('SIGKILL')))
    client?.disconnect()
    await redis?.[Symbol.asyncDispose]()
    await rm(ledger.place.root, { recursive: true, force: true })
  })

  let entries = 0
  /** What two calls came to, one at each replica: the code of a refusal, or undefined. */
  const calls = async (): Promise<(string | undefined)[]> =>
    Promise.all(
      gateways.map(async (gateway) => {
        entries += 1
        const { message } = await put(gateway, `emptied-${entries}`)
        const { code } = ((message['error'] as Json | undefined)?.['data'] ?? {}) as Json
        const meta = (message['result'] as Json | undefined)?.['isError'] === true ? JSON.stringify(message['result']) : undefined
        return (code as string | undefined) ?? meta
      }),
    )
  const lost = async (): Promise<unknown[]> =>
    Promise.all(gateways.map(async ({ url }) => ((await (await fetch(`${url}/readyz`)).json()) as Json)['state_lost']))

  test('what begins is refused what it would have to have read nothing for; both replicas say since when', async () => {
    expect(await calls()).toEqual([undefined, undefined])
    expect(await lost()).toEqual([undefined, undefined])
    await client.flushall()
    for (const refusal of await calls()) expect(refusal).toContain('it needs a session of trust `trusted`')
    expect((await calls()).join()).toContain('turnward cluster reset-state')
    const said = { at: expect.any(String) as string, unknown_until: expect.any(String) as string }
    expect(await lost()).toEqual([said, said])
    expect(gateways.map((gateway) => gateway.logs().includes('the shared state has lost what it held'))).toContain(true)
  })

  test('a person who knows that nobody is at work begins it anew', async () => {
    const [one] = gateways
    expect(await one?.cli(['cluster', 'reset-state'])).toMatchObject({ code: 2 })
    expect(await one?.cli(['cluster', 'reset-state', '--yes'])).toMatchObject({ code: 0 })
    expect(await calls()).toEqual([undefined, undefined])
    expect(await one?.cli(['cluster', 'status', '--json'])).toMatchObject({ code: 0 })
  })
})
