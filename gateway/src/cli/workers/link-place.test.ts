/** The shared state of workers over their links: what the owner keeps is what each of them reads, and what is announced is heard by all. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { add } from '../../state/state-operations.ts'
import { openMemoryPlace, type MemoryPlace } from '../../state/versioned/memory-place.ts'
import { wholeEpoch, type PlaceKey, type VersionedChange, type VersionedWrite } from '../../state/versioned/versioned-place.ts'
import { VersionedState } from '../../state/versioned/versioned-state.ts'
import { openStore, type Store } from '../../store/store.ts'
import { linked, type LinkedPair } from './link.fixture.ts'
import { LinkPlace, placeHandlers } from './link-place.ts'
import { LinkTopics, OwnedTopics } from './topics.ts'

let folder: string
let store: Store
let owned: MemoryPlace
let topics: OwnedTopics
let pairs: LinkedPair[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'turnward-link-place-'))
  store = await openStore({ kind: 'sqlite', dataDir: folder })
  owned = await openMemoryPlace({ entries: store.entries, clock: systemClock, maxEntries: 1000 })
  topics = new OwnedTopics()
  pairs = []
})
afterEach(async () => {
  for (const { worker } of pairs) worker.close()
  await owned.close()
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Worker {
  readonly place: LinkPlace
  readonly pair: LinkedPair
}

async function worker(): Promise<Worker> {
  const own = new LinkTopics(() => pair.worker)
  const pair: LinkedPair = await linked(
    {
      ...placeHandlers(owned, (announced) => topics.announce(announced)),
      listen(head) {
        topics.listen(pair.owner, String(head))
        return { head: null }
      },
    },
    {
      announced(head) {
        own.announced(String(head))
        return { head: null }
      },
    },
  )
  pairs.push(pair)
  return { place: new LinkPlace(pair.worker, own, 10_000), pair }
}

const key = (name: string): PlaceKey => ({ namespace: 'note', key: name })
const change = (name: string, expected: string, text: string | undefined): VersionedChange => ({
  ...key(name),
  expected,
  text,
  livesMs: 60_000,
})
const write = (version: string, changes: readonly VersionedChange[], parts: Partial<VersionedWrite> = {}): VersionedWrite => ({
  version,
  epoch: wholeEpoch.id,
  changes,
  checks: [],
  reads: [],
  announce: [],
  ...parts,
})

test('what one worker writes another reads, each text under its own key, removals and what is not there among them', async () => {
  const [one, other] = [(await worker()).place, (await worker()).place]
  expect(await one.write('s', write('a', [change('1', '', '"é"'), change('2', '', '2'), change('3', '', '')]))).toEqual({
    kind: 'ok',
    reads: [],
  })
  await one.write('s', write('b', [change('2', 'a', undefined), change('4', '', '{"x":"\\n"}')]))
  expect((await other.read('s', ['4', 'none', '2', '1', '3'].map(key))).values).toEqual([
    { text: '{"x":"\\n"}', version: 'b' },
    { text: undefined, version: '' },
    { text: undefined, version: 'b' },
    { text: '"é"', version: 'a' },
    { text: '', version: 'a' },
  ])
})

test('a conflict tells what is there instead, of what was to be changed and of what was looked at, and what was read besides', async () => {
  const [one, other] = [(await worker()).place, (await worker()).place]
  await one.write('s', write('a', [change('1', '', '1'), change('2', '', '2'), change('3', '', '3')]))
  const checks = [{ ...key('2'), expected: 'old' }]
  expect(await other.write('s', write('b', [change('new', '', '0'), change('1', 'a', '9')], { checks, reads: [key('3')] }))).toEqual({
    kind: 'conflict',
    present: [
      { text: undefined, version: '' },
      { text: '1', version: 'a' },
      { text: '2', version: 'a' },
    ],
    reads: [{ text: '3', version: 'a' }],
  })
})

test('a change that is announced is heard by workers that listen, and one that was not made is not', async () => {
  const [one, other] = [(await worker()).place, await worker()]
  let heard = 0
  other.place.listen('topic', () => (heard += 1))
  const arrived = (): Promise<unknown> => other.place.read('s', [key('any')])
  await arrived()
  // Once when it is listened to.
  expect(heard).toBe(1)
  await one.write('s', write('a', [change('1', '', '1')], { announce: ['topic', 'another'] }))
  await arrived()
  expect(heard).toBe(2)
  await one.write('s', write('b', [change('1', '', '2')], { announce: ['topic'] }))
  await arrived()
  expect(heard).toBe(2)
})

test('no count of several workers is lost', async () => {
  const states = await Promise.all([0, 1, 2].map(async () => new VersionedState((await worker()).place)))
  await Promise.all(states.flatMap((state) => Array.from({ length: 10 }, async () => add(state, 'count', 'k', 1, Date.now() + 60_000))))
  expect(await states[0]?.get('count', 'k')).toBe(30)
})

test('what the owner refuses is refused; when it is gone nothing can be said, and the worker says so', async () => {
  const { place, pair } = await worker()
  const large = 'x'.repeat(4 * 1024 * 1024 + 1)
  await expect(place.write('s', write('a', [change('1', '', large)]))).rejects.toMatchObject({ code: 'state.too_large' })
  expect(place.health()).toBeUndefined()
  pair.owner.close()
  await expect(place.read('s', [key('1')])).rejects.toMatchObject({ code: 'state.unavailable' })
  expect(place.health()).toMatch(/does not answer/)
})
