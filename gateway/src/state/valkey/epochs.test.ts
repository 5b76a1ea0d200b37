/** A state that was emptied is told from one that is new, by everybody, in the same step in which anything is found to be absent. */
import { Redis } from 'ioredis'
import { until } from '../../../../conformance/harness/until.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { redisProgram, startRedis, type RedisServer } from '../../../../scripts/services/redis.ts'
import { systemClock } from '../../core/clock.ts'
import { silentLogger, type Logger } from '../../core/logger.ts'
import { notedInMemory } from '../backends.fixture.ts'
import type { VersionedWrite } from '../versioned/versioned-place.ts'
import { VersionedState } from '../versioned/versioned-state.ts'
import type { NotedMarks } from './epochs.ts'
import { openValkeyPlace } from './open-valkey-state.ts'
import type { ValkeyPlace } from './valkey-place.ts'

describe.skipIf(redisProgram() === undefined)('a shared state', () => {
  let redis: RedisServer
  let client: Redis
  let noted: NotedMarks
  const opened: ValkeyPlace[] = []
  beforeAll(async () => {
    redis = await startRedis()
    client = new Redis(redis.url)
  })
  beforeEach(async () => {
    await client.flushall()
    noted = notedInMemory()
  })
  afterAll(async () => {
    for (const place of opened) await place.close()
    client?.disconnect()
    await redis?.[Symbol.asyncDispose]()
  })

  const open = async (parts: { noted?: NotedMarks | undefined; logger?: Logger; url?: string } = {}): Promise<ValkeyPlace> => {
    const options = { url: redis.url, prefix: 'tw:', timeoutMs: 10_000, clock: systemClock, logger: silentLogger, noted, ...parts }
    const place = await openValkeyPlace(options)
    opened.push(place)
    return place
  }
  const counted = { namespace: 'count' as const, key: 'k' }
  const write = (version: string, epoch: string, expected: string): VersionedWrite => ({
    version,
    epoch,
    changes: [{ ...counted, expected, text: '1', livesMs: 60_000 }],
    checks: [],
    reads: [],
    announce: [],
  })

  test('that is new has lost nothing, also when all begin at one moment', async () => {
    const places = await Promise.all([open(), open(), open()])
    const epochs = await Promise.all(places.map(async (place) => place.epochOf('s')))
    expect(new Set(epochs.map(({ id }) => id)).size).toBe(1)
    expect(epochs[0]?.lostAt).toBeUndefined()
    expect(places[0]?.lastLoss()).toBeUndefined()
  })

  test('that was emptied says since when, to those that knew it and to those that come later, and once in the log', async () => {
    const errors: string[] = []
    const logger: Logger = { ...silentLogger, error: (_fields, message) => errors.push(message) }
    const [one, other] = [await open({ logger }), await open({ logger })]
    await one.epochOf('s')
    const before = Date.now() - 1000
    await client.flushall()
    const { epoch } = await one.read('s', [counted])
    expect(epoch.lostAt).toBeGreaterThan(before)
    expect((await other.read('s', [counted])).epoch).toEqual(epoch)
    expect(await (await open()).epochOf('s')).toEqual(epoch)
    expect(one.lastLoss()).toBe(epoch.lostAt)
    expect(errors).toEqual([expect.stringContaining('has lost what it held')])
    await client.flushall()
    expect((await other.read('s', [counted])).epoch.id).not.toBe(epoch.id)
  })

  test('is known to a store that came later, so that it does not pass for new once it is emptied', async () => {
    await (await open()).epochOf('s')
    noted = notedInMemory()
    const place = await open()
    expect((await place.epochOf('s')).lostAt).toBeUndefined()
    await client.flushall()
    expect((await place.read('s', [counted])).epoch.lostAt).toBeDefined()
  })

  test('takes nothing that was decided before it was emptied', async () => {
    const [one, other] = [await open(), await open()]
    const { id } = await one.epochOf('s')
    await client.flushall()
    const lost = await one.write('s', write('a', id, ''))
    expect(lost).toMatchObject({ kind: 'lost', epoch: { lostAt: expect.any(Number) as number } })
    expect((await other.read('s', [counted])).values).toEqual([{ text: undefined, version: '' }])
    const { id: next } = await one.epochOf('s')
    expect(await one.write('s', write('a', next, ''))).toMatchObject({ kind: 'ok' })
  })

  test('refuses a call that has looked before and goes on after it was emptied, and lets one begin', async () => {
    const state = new VersionedState(await open())
    const later = Date.now() + 60_000
    const begun = state.begin('s')
    expect(await begun.get('count', 'k')).toBeUndefined()
    await client.flushall()
    const change = () => ({ value: 1, expires: later, result: 1 })
    await expect(begun.change('count', 'k', change)).rejects.toMatchObject({ code: 'state.unavailable' })
    await expect(begun.get('count', 'other')).rejects.toMatchObject({ code: 'state.unavailable' })
    expect(await state.begin('s').change('count', 'k', change)).toBe(1)
  })

  test('makes an attempt again that was made on guesses alone', async () => {
    const state = new VersionedState(await open())
    await state.begin('s').lostAt?.()
    await client.flushall()
    const call = state.begin('s')
    const asked: (number | undefined)[] = []
    await call.attempt(async () => {
      asked.push(await call.lostAt?.())
      await call.put('count', 'k', 1, Date.now() + 60_000)
    })
    expect(asked).toEqual([undefined, expect.any(Number)])
    expect(await state.begin('s').get('count', 'k')).toBe(1)
  })

  test('that came back with what it had saved before counts as emptied, and what is left of it is out of reach', async () => {
    const place = await open()
    const before = await place.epochOf('s')
    await place.write('s', write('a', before.id, ''))
    await client.save()
    await redis.stop()
    await redis.start()
    const { epoch, values } = await place.read('s', [counted])
    expect(epoch.lostAt).toBeDefined()
    expect(values).toEqual([{ text: undefined, version: '' }])
    expect((await (await open()).read('s', [counted])).epoch).toEqual(epoch)
  })

  test('that came back with a list of all changes has lost nothing', async () => {
    await using careful = await startRedis(['--appendonly', 'yes', '--appendfsync', 'always'])
    const place = await open({ url: careful.url })
    await place.write('s', write('a', (await place.epochOf('s')).id, ''))
    await careful.stop()
    await careful.start()
    expect(await place.read('s', [counted])).toMatchObject({ epoch: { lostAt: undefined }, values: [{ text: '1' }] })
  })

  test('that throws values away for want of memory counts as emptied', async () => {
    const place = await open()
    expect((await place.epochOf('s')).lostAt).toBeUndefined()
    // The mark does not expire, and stays.
    await client.config('SET', 'maxmemory-policy', 'volatile-random')
    await client.set('large', 'x'.repeat(1_000_000), 'EX', 600)
    await client.config('SET', 'maxmemory', '1mb')
    await client.set('another', '1').catch(() => {})
    await client.config('SET', 'maxmemory', '0')
    await until('the loss to be seen', async () => ((await place.read('s', [counted])).epoch.lostAt === undefined ? undefined : true))
  })

  test('is not used while nobody can tell whether it is new', async () => {
    const place = await open({ noted: { noteOnce: () => Promise.reject(new Error('gone')) } })
    await expect(place.read('s', [counted])).rejects.toMatchObject({
      code: 'state.unavailable',
      why: expect.stringContaining('store') as string,
    })
    expect(await client.keys('tw:epoch')).toEqual([])
  })

  test('may be looked at without beginning it', async () => {
    const place = await open({ noted: undefined })
    expect((await place.read('s', [counted])).values).toEqual([{ text: undefined, version: '' }])
    expect(await client.keys('tw:epoch')).toEqual([])
  })

  test('says so while it answers and takes nothing', async () => {
    const errors: unknown[] = []
    const place = await open({ logger: { ...silentLogger, error: (fields) => errors.push(fields) } })
    const { id } = await place.epochOf('s')
    await client.config('SET', 'min-replicas-to-write', '3')
    await expect(place.write('s', write('a', id, ''))).rejects.toMatchObject({ code: 'state.unavailable' })
    await place.read('s', [counted])
    expect(place.health()).toBeDefined()
    await client.config('SET', 'min-replicas-to-write', '0')
    expect(await place.write('s', write('a', id, ''))).toMatchObject({ kind: 'ok' })
    expect(place.health()).toBeUndefined()
    expect(errors).toHaveLength(1)
  })
})
