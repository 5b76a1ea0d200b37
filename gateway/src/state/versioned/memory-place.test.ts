/** What a place in the memory of its owner promises beyond what `state/shared-state.test.ts` asks of every place. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Clock } from '../../core/clock.ts'
import { openStore, type Store } from '../../store/store.ts'
import { openMemoryPlace, type MemoryPlace } from './memory-place.ts'
import { wholeEpoch, type PlaceKey, type VersionedWrite } from './versioned-place.ts'

let folder: string
let store: Store
let now: number
let place: MemoryPlace
const clock: Clock = { now: () => now, monotonic: () => now }
const opened = (maxEntries = 100): Promise<MemoryPlace> => openMemoryPlace({ entries: store.entries, clock, maxEntries })

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'turnward-place-'))
  store = await openStore({ kind: 'sqlite', dataDir: folder })
  now = 1000
  place = await opened()
})
afterEach(async () => {
  await place.close()
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

const session = (key: string): PlaceKey => ({ namespace: 'session', key })
const write = (version: string, key: string, expected: string | undefined, text: string | undefined): VersionedWrite => ({
  version,
  epoch: wholeEpoch.id,
  changes: [{ ...session(key), expected, text, livesMs: 60_000 }],
  checks: [],
  reads: [],
  announce: [],
})

test('a write is made on the version it expects, and else nothing of it, with what is there instead', async () => {
  expect(await place.write(write('a', 'k', '', '1'))).toEqual({ kind: 'ok', reads: [] })
  expect(await place.write(write('b', 'k', '', '2'))).toMatchObject({ kind: 'conflict', present: [{ text: '1', version: 'a' }] })
  expect(await place.write(write('b', 'k', 'a', '2'))).toMatchObject({ kind: 'ok' })
  expect(await place.write(write('c', 'k', undefined, '3'))).toMatchObject({ kind: 'ok' })
  expect(await place.read([session('k')])).toEqual([{ text: '3', version: 'c' }])
})

test('nothing is written where one of many, or what was only looked at, is not as expected', async () => {
  await place.write(write('a', 'seen', '', '1'))
  const checks = [{ ...session('seen'), expected: 'other' }]
  const result = await place.write({ ...write('b', 'new', '', '1'), checks, reads: [session('seen')] })
  expect(result).toMatchObject({
    kind: 'conflict',
    present: [{ version: '' }, { text: '1', version: 'a' }],
    reads: [{ text: '1', version: 'a' }],
  })
  expect(await place.read([session('new')])).toEqual([{ text: undefined, version: '' }])
})

test('what was removed is not taken for what was never there', async () => {
  await place.write(write('a', 'k', '', '1'))
  await place.write(write('b', 'k', 'a', undefined))
  expect(await place.write(write('c', 'k', '', '2'))).toMatchObject({ kind: 'conflict', present: [{ text: undefined, version: 'b' }] })
})

test('what lives is there after a restart, under a version that nobody knows; what was removed or has expired is not', async () => {
  await place.write(write('a', 'kept', '', '{"n":1}'))
  await place.write(write('a', 'removed', '', '2'))
  await place.write(write('b', 'removed', 'a', undefined))
  await place.write({ ...write('a', 'short', '', '3'), changes: [{ ...session('short'), expected: '', text: '3', livesMs: 5 }] })
  await place.close()
  now += 10
  place = await opened()
  const [kept, ...others] = await place.read(['kept', 'removed', 'short'].map(session))
  expect(kept?.text).toBe('{"n":1}')
  expect(others).toEqual([
    { text: undefined, version: '' },
    { text: undefined, version: '' },
  ])
  expect(await place.write(write('c', 'kept', 'a', '2'))).toMatchObject({ kind: 'conflict' })
  expect(await place.write(write('c', 'kept', kept?.version, '2'))).toMatchObject({ kind: 'ok' })
})

test('what memory has let go of comes back from the disk, or from what is on its way there', async () => {
  await place.close()
  place = await opened(4)
  const keys = Array.from({ length: 40 }, (_, at) => `k${at}`)
  for (const key of keys) await place.write(write('a', key, '', JSON.stringify(key)))
  for (const key of keys) expect((await place.read([session(key)]))[0]?.text).toBe(JSON.stringify(key))
  expect(await place.write(write('b', 'k0', '', '"again"'))).toMatchObject({ kind: 'conflict', present: [{ text: '"k0"' }] })
  expect(await place.read([session('never')])).toEqual([{ text: undefined, version: '' }])
})

test('a value that is too large is refused, and nothing of its write is made', async () => {
  const large = 'x'.repeat(4 * 1024 * 1024 + 1)
  const both = { ...write('a', 'small', '', '1') }
  const changes = [...both.changes, { ...session('large'), expected: '', text: large, livesMs: 60_000 }]
  await expect(async () => place.write({ ...both, changes })).rejects.toMatchObject({ code: 'state.too_large' })
  expect(await place.read([session('small')])).toEqual([{ text: undefined, version: '' }])
})
