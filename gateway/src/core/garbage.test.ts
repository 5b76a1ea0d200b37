import { PerformanceObserver, constants, type PerformanceEntry } from 'node:perf_hooks'
import { expect, test } from 'vitest'
import { endStart, notePassingBytes } from './garbage.ts'

/** The kinds of collections that ran during the work: those it asked for, where V8 says so, or all. */
async function collectionsOf(work: () => void, which: 'asked' | 'all' = 'asked'): Promise<number[]> {
  const kinds: number[] = []
  const note = (entries: PerformanceEntry[]): void =>
    void kinds.push(
      ...entries
        .map((entry) => (entry as PerformanceEntry & { detail: { kind: number; flags: number } }).detail)
        .filter(({ flags }) => which === 'all' || (flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0)
        .map(({ kind }) => kind),
    )
  const observer = new PerformanceObserver((list) => note(list.getEntries()))
  observer.observe({ entryTypes: ['gc'] })
  work()
  await new Promise((resolve) => setImmediate(resolve))
  note(observer.takeRecords())
  observer.disconnect()
  return kinds
}

const megabyte = 1024 * 1024

test('after many bytes of bodies the young part of the heap is collected, once', async () => {
  expect(await collectionsOf(() => notePassingBytes(15 * megabyte))).toEqual([])
  expect(await collectionsOf(() => notePassingBytes(megabyte))).toEqual([constants.NODE_PERFORMANCE_GC_MINOR])
  expect(await collectionsOf(() => notePassingBytes(15 * megabyte))).toEqual([])
})

test('small bodies do not count', async () => {
  expect(await collectionsOf(() => Array.from({ length: 5000 }, () => notePassingBytes(16 * 1024 - 1)))).toEqual([])
})

test('after the start all of the heap is', async () => {
  expect(await collectionsOf(endStart, 'all')).toContain(constants.NODE_PERFORMANCE_GC_MAJOR)
})
