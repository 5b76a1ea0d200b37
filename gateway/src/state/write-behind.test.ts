import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { StateEntries } from './state-entries.ts'
import { WriteBehind } from './write-behind.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Keys in the order they were written, one list a batch. */
function watched(): { readonly writes: WriteBehind; readonly batches: string[][] } {
  const batches: string[][] = []
  const entries = {
    write: async (changes: readonly { readonly key: string }[]) => void batches.push(changes.map(({ key }) => key)),
  } as unknown as StateEntries
  return { writes: new WriteBehind(entries, 10_000), batches }
}

const entry = { value: 1, expires: 1_000_000 }

test('places wait for others, and go along with what waits less', async () => {
  const { writes, batches } = watched()
  writes.add('answer', 'p1', entry)
  await vi.advanceTimersByTimeAsync(100)
  expect(batches).toEqual([])
  writes.add('session', 's1', entry)
  await vi.advanceTimersByTimeAsync(20)
  expect(batches).toEqual([['p1', 's1']])
  writes.add('answer', 'p2', entry)
  await vi.advanceTimersByTimeAsync(200)
  expect(batches).toEqual([['p1', 's1'], ['p2']])
})

test('more than one batch takes does not wait for the next places', async () => {
  const { writes, batches } = watched()
  for (let index = 0; index < 4100; index += 1) writes.add('answer', `p${index}`, entry)
  await vi.advanceTimersByTimeAsync(60)
  expect(batches.map(({ length }) => length)).toEqual([2000, 2000])
  await vi.advanceTimersByTimeAsync(200)
  expect(batches.flat()).toHaveLength(4100)
})

test('a label among too many places still goes soon', async () => {
  const { writes, batches } = watched()
  for (let index = 0; index < 2100; index += 1) writes.add('answer', `p${index}`, entry)
  writes.add('session', 's1', entry)
  await vi.advanceTimersByTimeAsync(60)
  expect(batches.flat()).toContain('s1')
})

test('a key that could not be told from others on its way is refused', () => {
  expect(() => watched().writes.add('session', 'a\0b', entry)).toThrow(TypeError)
})
