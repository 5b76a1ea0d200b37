/** What is told of an answer while it is made reaches the place where it is kept, however the moments fall. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { StateStore } from '../../state/state-store.ts'
import { keeperOn } from './keepers.fixture.ts'
import { beginStream, findStream } from './kept-streams.ts'
import { LiveStream } from './live-stream.ts'

/** A state that takes its time to keep something, until it is let go on. */
function slowState() {
  const values = new Map<string, unknown>()
  let gate = Promise.resolve()
  const state: Partial<StateStore> = {
    get: (_namespace, key) => values.get(key) as never,
    put: async (_namespace, key, value) => {
      await gate
      values.set(key, value)
    },
    change: async (_namespace, key, change) => {
      const { value, result } = change(values.get(key) as never)
      values.set(key, value)
      return result
    },
  }
  const hold = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    gate = promise
    return resolve
  }
  return { state: state as StateStore, hold }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

test('what comes while something is being kept is kept after it', async () => {
  const { state, hold } = slowState()
  const keeper = () => keeperOn(state)
  await beginStream(keeper(), 'key', [])
  const live = new LiveStream({ keeper, key: 'key', begun: [], gatherMs: 10, segmentSize: 1000 })
  const release = hold()
  live.append('data: a\n\n')
  vi.advanceTimersByTime(10)
  // The place takes longer than events wait for others.
  live.append('data: b\n\n')
  vi.advanceTimersByTime(10)
  release()
  await vi.waitFor(async () => {
    vi.advanceTimersByTime(10)
    expect((await findStream(keeper(), 'key'))?.count).toBe(2)
  })
  await live.end()
})
