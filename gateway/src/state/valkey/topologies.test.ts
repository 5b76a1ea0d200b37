/** The shared state on several servers that are one: a cluster, and a primary that sentinels replace. */
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../../../conformance/harness/until.ts'
import { startRedisCluster, startRedisSentinels, type RedisServers } from '../../../../scripts/services/redis-topologies.ts'
import { redisProgram } from '../../../../scripts/services/redis.ts'
import { systemClock } from '../../core/clock.ts'
import { silentLogger } from '../../core/logger.ts'
import { notedInMemory } from '../backends.fixture.ts'
import type { CallState, StateStore } from '../state-store.ts'
import { openValkeyState } from './open-valkey-state.ts'

const later = Date.now() + 3_600_000
const people = Array.from({ length: 60 }, (_, at) => `${at.toString(36).padStart(2, '0')}-person`)

/** The state as one call of somebody sees it. */
function of(state: StateStore, slot: string): CallState {
  if (state.begin === undefined) throw new Error('the state is in this process')
  return state.begin(slot)
}

/** One call of everybody: what they counted. */
function count(state: StateStore): Promise<number[]> {
  return Promise.all(
    people.map(async (slot) => {
      return of(state, slot).change('count', 'k', (before = 0) => ({ value: before + 1, expires: later, result: before + 1 }))
    }),
  )
}

describe.skipIf(redisProgram() === undefined).each([
  ['a cluster', startRedisCluster],
  ['a primary that sentinels watch', startRedisSentinels],
])('on %s', (_, start) => {
  let redis: RedisServers
  const noted = notedInMemory()
  const opened: StateStore[] = []
  beforeAll(async () => {
    redis = await start()
  })
  afterAll(async () => {
    for (const state of opened) await state.close()
    await redis?.[Symbol.asyncDispose]()
  })

  async function open(): Promise<StateStore> {
    const state = await openValkeyState({
      url: redis.url,
      prefix: 'tw:',
      timeoutMs: 10_000,
      noted,
      clock: systemClock,
      logger: silentLogger,
    })
    opened.push(state)
    return state
  }

  test('what one gateway writes another reads, whoever it is of, and is told of', async () => {
    const [one, other] = [await open(), await open()]
    expect(new Set(await count(one))).toEqual(new Set([1]))
    expect(new Set(await count(other))).toEqual(new Set([2]))
    let woken = 0
    const stop = one.listen?.('topic', () => void (woken += 1))
    await until('the announcement', async () => {
      await of(other, 'so').change('count', 'said', (before = 0) => ({ value: before + 1, expires: later, result: 0, announce: 'topic' }))
      return woken > 1 ? true : undefined
    })
    stop?.()
  })

  test('what was lost at one server is known to be lost there, and what is at others is not', async () => {
    const state = await open()
    const lostOf = (): Promise<(number | undefined)[]> => Promise.all(people.map(async (slot) => of(state, slot).lostAt?.()))
    expect(new Set(await lostOf())).toEqual(new Set([undefined]))
    const [first] = redis.servers
    const client = new Redis(first?.url ?? '')
    await client.flushall()
    client.disconnect()
    await Promise.all(people.map(async (slot) => of(state, slot).get('count', 'k')))
    const lost = (await lostOf()).filter((at) => at !== undefined).length
    expect(lost).toBeGreaterThan(0)
    expect(lost === people.length).toBe(redis.servers.length === 2)
  })
})

describe.skipIf(redisProgram() === undefined)('when the primary is gone', () => {
  test('the state goes on at its copy, with what was there', async () => {
    await using redis = await startRedisSentinels()
    const options = { prefix: 'tw:', timeoutMs: 500, noted: notedInMemory(), clock: systemClock, logger: silentLogger }
    const state = await openValkeyState({ url: redis.url, ...options })
    try {
      await count(state)
      const [primary, copy] = redis.servers
      const client = new Redis(primary?.url ?? '')
      await client.wait(1, 10_000)
      client.disconnect()
      await primary?.stop()
      expect(await count(state).catch((error: unknown) => error)).toMatchObject({ code: 'state.unavailable' })
      const counted = await until('the copy to be the primary', () => count(state).catch(() => undefined))
      // Whoever was refused tried again; nobody began anew.
      expect(Math.min(...counted)).toBeGreaterThanOrEqual(2)
      expect(state.lastLoss?.()).toBeUndefined()
      expect(copy?.pid).toBeDefined()
    } finally {
      await state.close()
    }
  })
})
