import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TurnwardError } from '../core/error.ts'
import type { Clock } from '../core/clock.ts'
import type { EntryTable } from '../store/entries.ts'
import { openStore, type Store } from '../store/store.ts'
import { openStateStore } from './memory-state-store.ts'
import { keptNamespaces, volatileNamespaces } from './state-store.ts'
import type { MaybePromise, StateNamespace, StateStore } from './state-store.ts'

let folder: string
let store: Store
let now: number
const clock: Clock = { now: () => now, monotonic: () => now }
/** These tests are about keeping values, whatever they are. */
type AnyStore = StateStore<Record<StateNamespace, unknown>>
const open: AnyStore[] = []
const later = 1_000_000

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'turnward-state-'))
  store = await openStore({ kind: 'sqlite', dataDir: folder })
  now = 1000
})

afterEach(async () => {
  for (const state of open.splice(0)) await state.close().catch(() => {})
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

async function opened(maxEntries = 100, entries: EntryTable = store.entries, maxBytes = Infinity): Promise<AnyStore> {
  const state = (await openStateStore({ entries, clock, maxEntries, maxBytes })) as AnyStore
  open.push(state)
  return state
}

/** Removes a value and resolves with it. */
function take(state: AnyStore, namespace: StateNamespace, key: string): MaybePromise<unknown> {
  return state.change(namespace, key, (value) => ({ value: undefined, expires: later, result: value }))
}

describe('state in memory', () => {
  test('is there at once, without waiting', async () => {
    const state = await opened()
    void state.put('session', 's', { label: 1 }, later)
    expect(state.get('session', 's')).toEqual({ label: 1 })
  })

  test('that may be forgotten is there at once, and goes to the disk only with something that may not', async () => {
    const state = await opened()
    const set = (value: unknown, isForgettable: boolean) =>
      state.change('session', 's', () => ({ value, expires: later, result: undefined, isForgettable }))
    await set('first', false)
    await state.flush()
    await set('second', true)
    expect(state.get('session', 's')).toBe('second')
    await state.flush()
    expect((await store.entries.read('session', 's', now))?.value).toBe('"first"')
    await set('third', false)
    await set('fourth', true)
    await state.flush()
    expect((await store.entries.read('session', 's', now))?.value).toBe('"fourth"')
  })

  test('of one namespace is not seen in another', async () => {
    const state = await opened()
    await state.put('session', 'k', 1, later)
    expect(await state.get('ticket', 'k')).toBeUndefined()
    expect(await take(state, 'ticket', 'k')).toBeUndefined()
    expect(await state.get('session', 'k')).toBe(1)
  })

  test('ends when it expires', async () => {
    const state = await opened()
    await state.put('ticket', 't', 1, 2000)
    now = 1999
    expect(await state.get('ticket', 't')).toBe(1)
    now = 2000
    expect(await state.get('ticket', 't')).toBeUndefined()
    expect(await take(state, 'ticket', 't')).toBeUndefined()
  })

  test('is taken once', async () => {
    const state = await opened()
    await state.put('ticket', 't', 'yes', later)
    expect([take(state, 'ticket', 't'), take(state, 'ticket', 't')]).toEqual(['yes', undefined])
    expect(await state.get('ticket', 't')).toBeUndefined()
  })

  test('is changed in one step: of many changes each sees what the one before made', async () => {
    const state = await opened()
    const add = () => state.change('ticket', 't', (value) => ({ value: Number(value ?? 0) + 1, expires: later, result: value }))
    expect([add(), add(), add()]).toEqual([undefined, 1, 2])
    expect(await state.get('ticket', 't')).toBe(3)
  })

  test('a change that throws changes nothing', async () => {
    const state = await opened()
    await state.put('session', 's', 1, later)
    const broken = (): never => {
      throw new RangeError('no')
    }
    expect(() => state.change('session', 's', broken)).toThrow(RangeError)
    expect(await state.get('session', 's')).toBe(1)
  })

  test('that is not JSON is refused and changes nothing', async () => {
    const state = await opened()
    await state.put('session', 's', 1, later)
    const cyclic: { self?: unknown } = {}
    cyclic.self = cyclic
    expect(() => state.put('session', 's', cyclic, later)).toThrow(TypeError)
    expect(() => state.put('session', 's', undefined, later)).toThrow(TypeError)
    expect(() => state.put('session', 's', 2, Number.POSITIVE_INFINITY)).toThrow(TypeError)
    await state.flush()
    expect(await state.get('session', 's')).toBe(1)
  })
})

describe('state on disk', () => {
  test('survives a restart in every kept namespace, without what has expired or was taken', async () => {
    const before = await opened()
    const namespaces = keptNamespaces
    for (const namespace of namespaces) await before.put(namespace, 'k', { of: namespace }, later)
    await before.put('session', 'short', 1, 1500)
    await before.put('splice', 'used', 1, later)
    await take(before, 'splice', 'used')
    for (const namespace of volatileNamespaces) await before.put(namespace, 'k', 1, later)
    await before.close()
    now = 1500
    const after = await opened()
    for (const namespace of namespaces) expect(await after.get(namespace, 'k')).toEqual({ of: namespace })
    expect(after.get('session', 'short')).toBeUndefined()
    expect(take(after, 'splice', 'used')).toBeUndefined()
    for (const namespace of volatileNamespaces) expect(after.get(namespace, 'k')).toBeUndefined()
  })

  test('has the last of several values', async () => {
    const state = await opened()
    for (let value = 0; value < 50; value += 1) await state.put('session', 's', value, later)
    await state.flush()
    expect((await store.entries.read('session', 's', now))?.value).toBe('49')
  })

  test('is what was put: its owner can no longer change it', async () => {
    const state = await opened()
    const value = { label: 1 }
    await state.put('session', 's', value, later)
    expect(() => (value.label = 2)).toThrow(TypeError)
    await state.flush()
    expect((await store.entries.read('session', 's', now))?.value).toBe('{"label":1}')
  })

  test('has everything of more than one batch takes, and what is changed while a batch is on its way', async () => {
    const state = await opened(10_000)
    for (let index = 0; index < 4500; index += 1) await state.put('answer', `k${index}`, index, later)
    const flushed = state.flush()
    await state.put('answer', 'k0', 'changed', later)
    await state.put('answer', 'k4499', 'changed', later)
    await flushed
    const rows = (await Array.fromAsync(store.entries.pages(now))).flat()
    expect(rows).toHaveLength(4500)
    const changed = rows.filter((row) => row.value === '"changed"').map((row) => row.key)
    expect(changed.toSorted()).toEqual(['k0', 'k4499'])
  })

  test('is written without being asked', async () => {
    const written = Promise.withResolvers<void>()
    const entries: EntryTable = { ...store.entries, write: (changes) => store.entries.write(changes).then(written.resolve) }
    const state = await opened(100, entries)
    await state.put('session', 's', 1, later)
    await written.promise
    expect(await store.entries.read('session', 's', now)).toBeDefined()
  })
})

describe('when memory is full', () => {
  test('the least recently used goes and is read back from disk', async () => {
    const state = await opened(2)
    await state.put('session', 'a', 'A', later)
    await state.put('session', 'b', 'B', later)
    await state.get('session', 'a')
    await state.put('session', 'c', 'C', later)
    expect(state.get('session', 'a')).toBe('A')
    await state.flush()
    const b = state.get('session', 'b')
    expect(b).toBeInstanceOf(Promise)
    expect(await b).toBe('B')
    expect(await state.get('session', 'never')).toBeUndefined()
  })

  test('what was let go before it was written is not lost', async () => {
    const state = await opened(1)
    for (const key of ['a', 'b', 'c']) void state.put('session', key, key, later)
    expect(await Promise.all(['a', 'b', 'c'].map((key) => state.get('session', key)))).toEqual(['a', 'b', 'c'])
  })

  test('a value that is only on disk is still taken once', async () => {
    const state = await opened(1)
    await state.put('splice', 't', 'yes', later)
    await state.put('splice', 'other', 1, later)
    await state.flush()
    const answers = await Promise.all([take(state, 'splice', 't'), state.get('splice', 't'), take(state, 'splice', 't')])
    expect([answers[0], answers[2]].filter((answer) => answer === 'yes')).toHaveLength(1)
    expect(await state.get('splice', 't')).toBeUndefined()
    await state.flush()
    expect(await take(state, 'splice', 't')).toBeUndefined()
  })

  test('a value that is only on disk is changed in one step too, and a change that throws holds up nobody', async () => {
    const state = await opened(1)
    await state.put('splice', 't', 1, later)
    await state.put('splice', 'other', 1, later)
    await state.flush()
    const add = (): MaybePromise<unknown> =>
      state.change('splice', 't', (value) => ({ value: Number(value ?? 0) + 1, expires: later, result: value }))
    const broken = Promise.resolve(
      state.change('splice', 't', () => {
        throw new RangeError('no')
      }),
    ).catch((error: unknown) => error)
    expect(await Promise.all([broken, add(), add(), add()])).toEqual([expect.any(RangeError), 1, 2, 3])
    expect(await state.get('splice', 't')).toBe(4)
  })

  test('large values leave before there are many of them, and are read back', async () => {
    const state = await opened(1000, store.entries, 10_000)
    for (const key of ['a', 'b', 'c']) await state.put('splice', key, key.repeat(4000), later)
    await state.flush()
    expect(state.get('splice', 'a')).toBeInstanceOf(Promise)
    expect(await state.get('splice', 'a')).toBe('a'.repeat(4000))
  })

  test('a slow read does not bring back what was taken meanwhile', async () => {
    const gate = Promise.withResolvers<void>()
    let reads = 0
    const entries: EntryTable = {
      ...store.entries,
      read: async (namespace, key, at) => {
        reads += 1
        const isFirst = reads === 1
        const row = await store.entries.read(namespace, key, at)
        if (isFirst) await gate.promise
        return row
      },
    }
    const state = await opened(1, entries)
    await state.put('splice', 't', 'yes', later)
    await state.put('splice', 'other', 1, later)
    await state.flush()
    const slow = state.get('splice', 't')
    expect(await take(state, 'splice', 't')).toBe('yes')
    gate.resolve()
    await slow
    expect(await take(state, 'splice', 't')).toBeUndefined()
  })

  test('after a restart with more on disk than fits, nothing is missing', async () => {
    const before = await opened()
    for (const [index, key] of ['a', 'b', 'c'].entries()) await before.put('session', key, key, later + index)
    await before.close()
    const after = await opened(2)
    expect(await Promise.all(['a', 'b', 'c'].map((key) => after.get('session', key)))).toEqual(['a', 'b', 'c'])
  })
})

describe('when the disk refuses', () => {
  function failing() {
    const disk = { broken: true }
    const entries: EntryTable = {
      ...store.entries,
      write: (changes) =>
        disk.broken ? Promise.reject(new TurnwardError('store.failed', { why: 'disk full' })) : store.entries.write(changes),
    }
    return { disk, entries }
  }

  test('flush says so, nothing is forgotten, and the newest value is written afterwards', async () => {
    const { disk, entries } = failing()
    const state = await opened(100, entries)
    await state.put('session', 's', 1, later)
    await expect(state.flush()).rejects.toMatchObject({ code: 'store.failed' })
    await state.put('session', 's', 2, later)
    disk.broken = false
    await state.flush()
    expect((await store.entries.read('session', 's', now))?.value).toBe('2')
  })

  test('it takes no more than it may hold', async () => {
    const { entries } = failing()
    const state = await opened(10_000, entries)
    for (let index = 0; index < 10_000; index += 1) void state.put('session', `k${index}`, 1, later)
    expect(() => state.put('session', 'one more', 1, later)).toThrow(expect.objectContaining({ code: 'store.failed' }))
    expect(await state.get('session', 'one more')).toBeUndefined()
    await state.put('session', 'k0', 2, later)
  })
})
