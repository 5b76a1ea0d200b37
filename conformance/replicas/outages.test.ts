/** What each outage does: calls are refused at once and say why, nothing runs without a decision, and all comes back by itself. */
import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPostgres, type PostgresServer } from '../../scripts/services/postgres.ts'
import { startRedis, type RedisServer } from '../../scripts/services/redis.ts'
import { FaultProxy } from '../harness/fault-proxy.ts'
import type { RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { hasServices, makePlaces, type Places } from '../harness/replicas.ts'
import { until } from '../harness/until.ts'
import { digest, put } from '../mcp/ledger-place.ts'
import { replicatedLedger, type ReplicatedLedger } from './replicated-ledger.ts'

describe.skipIf(!hasServices)('of two replicas, one of which is reached through lines that break', () => {
  let postgres: PostgresServer
  let redis: RedisServer
  let ledger: ReplicatedLedger
  let sound: RunningGateway
  let frail: RunningGateway
  let toDatabase: FaultProxy
  let toState: FaultProxy

  beforeAll(async () => {
    postgres = await startPostgres()
    redis = await startRedis()
    const places = await makePlaces(postgres.url(), redis.url)
    ledger = await replicatedLedger(places)
    toDatabase = await FaultProxy.to(postgres.port)
    toState = await FaultProxy.to(redis.port)
    const through: Places = { ...places, databaseUrl: toDatabase.through(places.databaseUrl), stateUrl: toState.through(places.stateUrl) }
    sound = await ledger.start('sound')
    frail = await ledger.start('frail', through)
  })
  afterAll(async () => {
    await Promise.all([sound?.stop('SIGKILL'), frail?.stop('SIGKILL')])
    await toDatabase?.[Symbol.asyncDispose]()
    await toState?.[Symbol.asyncDispose]()
    await postgres?.[Symbol.asyncDispose]()
    await redis?.[Symbol.asyncDispose]()
    await rm(ledger.place.root, { recursive: true, force: true })
  })

  /** Whichever is missed first: whether the caller is still good, or a place for the decision. */
  const withoutDatabase: readonly (string | undefined)[] = ['store.failed', 'audit.unwritable']
  let entries = 0
  /** One tool call: undefined when it ran, else the code it was refused with. */
  async function call(gateway: RunningGateway): Promise<string | undefined> {
    entries += 1
    const { message } = await put(gateway, `outage-${entries}`)
    const error = message['error'] as Json | undefined
    return error === undefined ? undefined : String((error['data'] as Json | undefined)?.['code'])
  }

  const readiness = async ({ url }: RunningGateway): Promise<Json> => (await (await fetch(`${url}/readyz`)).json()) as Json

  async function goesOn(gateway: RunningGateway): Promise<void> {
    await until('calls to go on', async () => ((await call(gateway)) === undefined ? true : undefined))
    await until('the replica to be ready', async () => ((await readiness(gateway))['status'] === 'ready' ? true : undefined))
  }

  async function nothingRanUnrecorded(): Promise<void> {
    const released = await ledger.released()
    expect((await ledger.place.ledger()).filter((entry) => !released.has(digest(entry)))).toEqual([])
  }

  test.each(['refuse', 'stall'] as const)(
    'cut off from the database (%s), it refuses and says so, and the other goes on',
    async (fault) => {
      toDatabase[fault]()
      toDatabase.cut()
      await until('a refusal', async () => (withoutDatabase.includes(await call(frail)) ? true : undefined))
      expect(await readiness(frail)).toMatchObject({ status: 'not ready', audit: expect.any(String) as string })
      expect(await call(sound)).toBeUndefined()
      toDatabase.behave()
      await goesOn(frail)
      await nothingRanUnrecorded()
    },
  )

  test.each(['refuse', 'stall'] as const)('cut off from the state (%s), it refuses and says so, and the other goes on', async (fault) => {
    toState[fault]()
    toState.cut()
    await until('a refusal', async () => ((await call(frail)) === 'state.unavailable' ? true : undefined))
    await until('readiness to tell', async () => ((await readiness(frail))['state'] === undefined ? undefined : true))
    expect((await readiness(frail))['status']).toBe('not ready')
    expect(await call(sound)).toBeUndefined()
    toState.behave()
    await goesOn(frail)
    await nothingRanUnrecorded()
  })

  test('with a state that is slow by 200 ms it goes on', async () => {
    toState.delay(200)
    expect(await call(frail)).toBeUndefined()
    toState.behave()
  })

  test('while PostgreSQL restarts both refuse, and go on by themselves', async () => {
    await postgres.stop('immediate')
    for (const gateway of [sound, frail])
      await until('a refusal', async () => (withoutDatabase.includes(await call(gateway)) ? true : undefined))
    await postgres.start()
    for (const gateway of [sound, frail]) await goesOn(gateway)
    await nothingRanUnrecorded()
  })

  test('a state that was killed and comes back empty stops both for as long, and both go on by themselves', async () => {
    await redis.stop()
    for (const gateway of [sound, frail])
      await until('a refusal', async () => ((await call(gateway)) === 'state.unavailable' ? true : undefined))
    await redis.start()
    for (const gateway of [sound, frail]) await goesOn(gateway)
    await nothingRanUnrecorded()
  })

  test('afterwards every chain verifies', async () => {
    const { stdout } = await sound.cli(['audit', 'verify', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, problems: [] })
  })
})
