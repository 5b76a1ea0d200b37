/** A state store without a disk, and a clock that stands still until moved, for tests of this room. */
import type { Clock } from '../core/clock.ts'
import type { StateStore } from '../state/state-store.ts'

export interface TestClock extends Clock {
  advance(milliseconds: number): void
}

export function testClock(): TestClock {
  let time = 1_800_000_000_000
  return {
    now: () => time,
    monotonic: () => time,
    advance(milliseconds) {
      time += milliseconds
    },
  }
}

export function testState(clock: Clock): StateStore {
  const entries = new Map<string, { readonly text: string; readonly expires: number }>()
  const read = (namespace: string, key: string): unknown => {
    const entry = entries.get(`${namespace}|${key}`)
    return entry === undefined || entry.expires <= clock.now() ? undefined : JSON.parse(entry.text)
  }
  const put = (namespace: string, key: string, value: unknown, expires: number): void => {
    entries.set(`${namespace}|${key}`, { text: JSON.stringify(value), expires })
  }
  return {
    get: (namespace, key) => read(namespace, key) as never,
    put,
    change(namespace, key, change) {
      const before = read(namespace, key)
      const next = change(before as never)
      if (next.value === before) return next.result
      if (next.value === undefined) entries.delete(`${namespace}|${key}`)
      else put(namespace, key, next.value, next.expires)
      return next.result
    },
    flush: async () => {},
    close: async () => {},
  }
}
