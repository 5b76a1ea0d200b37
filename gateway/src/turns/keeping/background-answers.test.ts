/** Who makes an answer in the background says so for as long as it does, however long that takes and whatever comes between. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { stateBackends } from '../../state/backends.fixture.ts'
import type { StateStore } from '../../state/state-store.ts'
import { BackgroundAnswers } from './background-answers.ts'
import { keyOf } from './keeper.ts'
import { answer, keeperOn } from './keepers.fixture.ts'
import { beginAnswer, findByKey, forgetAnswer } from './kept-store.ts'
import { beginStream, findStream, keptEvents } from './kept-streams.ts'
import { LiveStream } from './live-stream.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const [memory] = stateBackends

/** An answer that is made until it is finished. */
async function making(state: StateStore) {
  const settings = { ttl_ms: 60_000 }
  const keeper = () => keeperOn(state, settings)
  const key = keyOf(keeper(), 'response', 'resp_1')
  const background = new BackgroundAnswers()
  await background.reserve(keeper(), key)
  await beginAnswer(keeper(), answer('resp_1', 'Not yet.'), true)
  const begun = ['event: a\ndata: 1\n\n']
  await beginStream(keeper(), key, begun)
  const live = new LiveStream({ keeper, key, begun, segmentSize: 50 })
  let finish = (): void => {}
  const finished = new Promise<void>((resolve) => (finish = resolve))
  const cancelled = vi.fn()
  background.start(
    keeper,
    key,
    async (signal) => {
      signal.addEventListener('abort', cancelled)
      await finished
    },
    live,
  )
  return { background, live, keeper, key, finish, cancelled, isRunning: () => new BackgroundAnswers().isRunning(keeper(), key) }
}

test('one that takes longer than answers are kept is kept all the same, with its stream', async () => {
  if (memory === undefined) return
  await using shared = await memory.make()
  const { keeper, key, live, finish, cancelled, isRunning } = await making(await shared.open())
  // A segment that is closed, and one that is being filled.
  const events = Array.from({ length: 5 }, (_, at) => `event: b\ndata: ${at}\n\n`)
  for (const event of events) {
    live.append(event)
    await vi.waitFor(async () => expect((await findStream(keeper(), key))?.count).toBe(live.count))
  }
  const { firsts = [] } = (await findStream(keeper(), key)) ?? {}
  expect(firsts.length).toBeGreaterThan(1)
  for (let seconds = 0; seconds < 600; seconds += 5) {
    await vi.advanceTimersByTimeAsync(5000)
    await vi.waitFor(async () => expect(await isRunning()).toBe(true), 10_000)
  }
  expect(cancelled).not.toHaveBeenCalled()
  expect((await findByKey(keeper(), key))?.isOpen).toBe(true)
  const stream = await findStream(keeper(), key)
  if (stream === undefined) throw new Error('its stream is gone')
  const kept = await Promise.all(firsts.map((first) => keptEvents(keeper(), key, stream, first)))
  expect(kept.flat().slice(1)).toEqual(events)
  finish()
})

test('one whose process stood still is made again when it goes on', async () => {
  if (memory === undefined) return
  await using shared = await memory.make()
  const { background, keeper, key, finish, cancelled, isRunning } = await making(await shared.open())
  vi.setSystemTime(Date.now() + 40_000)
  expect(await isRunning()).toBe(false)
  // Nobody knows better than itself.
  expect(await background.isRunning(keeper(), key)).toBe(true)
  await vi.advanceTimersByTimeAsync(10_000)
  await vi.waitFor(async () => expect(await isRunning()).toBe(true), 10_000)
  expect(cancelled).not.toHaveBeenCalled()
  finish()
  await background.close()
  expect(await isRunning()).toBe(false)
  await vi.advanceTimersByTimeAsync(20_000)
  expect(await isRunning()).toBe(false)
  expect((await findByKey(keeper(), key))?.isOpen).toBe(true)
})

test('one that was deleted while its process stood still ends', async () => {
  if (memory === undefined) return
  await using shared = await memory.make()
  const { keeper, key, finish, cancelled } = await making(await shared.open())
  await forgetAnswer(keeper(), key)
  await vi.advanceTimersByTimeAsync(10_000)
  await vi.waitFor(() => expect(cancelled).toHaveBeenCalledOnce())
  finish()
})

test('what cannot be said is said as soon as it can be', async () => {
  if (memory === undefined) return
  await using shared = await memory.make()
  const state = await shared.open()
  const { finish, isRunning } = await making(state)
  const get = vi.spyOn(state, 'get').mockImplementation(() => {
    throw new Error('the place is away')
  })
  await vi.advanceTimersByTimeAsync(29_500)
  get.mockRestore()
  vi.setSystemTime(Date.now() + 1000)
  expect(await isRunning()).toBe(false)
  await vi.advanceTimersByTimeAsync(1000)
  await vi.waitFor(async () => expect(await isRunning()).toBe(true), 10_000)
  finish()
})
