import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { silentLogger } from '../../core/logger.ts'
import { Breaker, mostUnanswered } from './breaker.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1), toFake: ['setTimeout', 'clearTimeout', 'Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A breaker whose server is alive or not. */
function start(isAlive: () => boolean) {
  let probes = 0
  const breaker = new Breaker({
    server: 's',
    clock: { now: () => Date.now() },
    logger: silentLogger,
    async probe() {
      probes += 1
      if (!isAlive()) throw new Error('nothing')
    },
  })
  const ranOut = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time += 1) breaker.ranOut()
    await vi.advanceTimersByTimeAsync(0)
  }
  return { breaker, ranOut, probes: () => probes }
}

test('a server that gives no sign of life is not waited for: the error says since when, and when it is asked again', async () => {
  const { breaker, ranOut } = start(() => false)
  await ranOut(mostUnanswered - 1)
  breaker.check()
  await ranOut(1)
  const why = 'it has answered nothing since 2026-01-01T00:00:00.000Z; it is asked again at 2026-01-01T00:00:05.000Z'
  expect(() => breaker.check()).toThrow(
    expect.objectContaining({ code: 'mcp.server_unavailable', subject: 's', why, retryAfterSeconds: 5 }),
  )
})

test('a server that answers keeps open, however many calls of a slow tool run out of time', async () => {
  const { breaker, ranOut, probes } = start(() => true)
  await ranOut(mostUnanswered * 3)
  breaker.check()
  expect(probes()).toBeGreaterThan(0)
})

test('an answer in between begins the count anew', async () => {
  const { breaker, ranOut, probes } = start(() => false)
  await ranOut(mostUnanswered - 1)
  breaker.answered()
  await ranOut(mostUnanswered - 1)
  breaker.check()
  expect(probes()).toBe(0)
})

test('while it is refused the server is asked again, ever more seldom; its first answer ends that', async () => {
  let isAlive = false
  const { breaker, ranOut, probes } = start(() => isAlive)
  await ranOut(mostUnanswered)
  await vi.advanceTimersByTimeAsync(5000)
  expect(probes()).toBe(2)
  await vi.advanceTimersByTimeAsync(9000)
  expect(probes()).toBe(2)
  expect(() => breaker.check()).toThrow(/since 2026-01-01T00:00:00.000Z; it is asked again at 2026-01-01T00:00:15.000Z/)
  await vi.advanceTimersByTimeAsync(1000)
  expect(probes()).toBe(3)
  isAlive = true
  await vi.advanceTimersByTimeAsync(20_000)
  breaker.check()
  expect(probes()).toBe(4)
  await vi.advanceTimersByTimeAsync(600_000)
  expect(probes()).toBe(4)
})

test('closed, it asks nobody', async () => {
  const { breaker, ranOut, probes } = start(() => false)
  await ranOut(mostUnanswered)
  breaker.close()
  await vi.advanceTimersByTimeAsync(600_000)
  expect(probes()).toBe(1)
})
