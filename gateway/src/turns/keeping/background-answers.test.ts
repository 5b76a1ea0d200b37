/** Who makes an answer in the background says so for as long as it does, however long that takes and whatever comes between. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { stateBackends } from '../../state/backends.fixture.ts'
import type { StateStore } from '../../state/state-store.ts'
import { BackgroundAnswers } from './background-answers.ts'
import { keyOf } from './keeper.ts'
import { answer, keeperOn } from './keepers.fixture.ts'
import { beginAnswer, findByKey, forgetAnswer } from './kept-store.ts'
import { beginStream, findStream, keepSegment } from './kept-streams.ts'

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
  await beginStream(keeper(), key, ['event: a\ndata: 1\n\n'])
  const first = { index: 0, first: 0, events: ['event: a\ndata: 1\n\n'] }
  await keepSegment(keeper(), key, first, 0)
  await keepSegment(keeper(), key, { index: 1, first: 1, events: ['event: b\ndata: 2\n\n'] }, 10)
  let finish = (): void => {}
  const finished = new Promise<void>((resolve) => (finish = resolve))
  const cancelled = vi.fn()
  background.start(keeper, key, async (signal) => {
    signal.addEventListener('abort', cancelled)
    await finished
  })
  return { background, keeper, key, finish, cancelled, isRunning: () => background.isRunning(keeper(), key) }
}

test('one that takes longer than answers are kept is kept all the same, with its stream', async () => {
  if (memory === undefined) return
  await using shared = await memory.make()
  const { keeper, key, finish, cancelled, isRunning } = await making(await shared.open())
  for (let seconds = 0; seconds < 600; seconds += 5) {
    await vi.advanceTimersByTimeAsync(5000)
    expect(await isRunning()).toBe(true)
  }
  expect(cancelled).not.toHaveBeenCalled()
  expect((await findByKey(keeper(), key))?.isOpen).toBe(true)
  expect(await findStream(keeper(), key)).toMatchObject({ count: 2 })
  expect(await keeper().services.state.get('events', `${key}|0`)).toBeDefined()
  finish()
})

test('one whose process stood still is made again when it goes on', async () => {
  if (memory === undefined) return
  await using shared = await memory.make()
  const { background, keeper, key, finish, cancelled, isRunning } = await making(await shared.open())
  vi.setSystemTime(Date.now() + 40_000)
  expect(await isRunning()).toBe(false)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(await isRunning()).toBe(true)
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
  expect(cancelled).toHaveBeenCalledOnce()
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
  expect(await isRunning()).toBe(true)
  finish()
})
