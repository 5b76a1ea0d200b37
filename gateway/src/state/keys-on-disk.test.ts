/** What is large stays on disk: a start reads its keys only, and nobody asks the disk for what was never there. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../core/clock.ts'
import { keyedHash } from '../core/hash.ts'
import { openStore } from '../store/store.ts'
import { openStateStore } from './memory-state-store.ts'
import type { StateEntries } from './state-entries.ts'
import { openMemoryPlace } from './versioned/memory-place.ts'

const key = (at: number): string => keyedHash(Buffer.from('k'), String(at)).slice(0, 24)
const kept = (at: number) => ({ sealed: `sealed ${at}`, digest: 'd', modelCall: 'mc_1' })
const later = Date.now() + 1_000_000

test('values are read when they are asked for, and only those that may be there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'turnward-on-disk-'))
  const store = await openStore({ kind: 'sqlite', dataDir: folder })
  try {
    const before = await openStateStore({ entries: store.entries, clock: systemClock, maxEntries: 1000 })
    for (let at = 0; at < 50; at += 1) await before.put('response', key(at), kept(at), later)
    await before.put('response', key(50), kept(50), Date.now() - 1)
    await before.put('count', 'c', 1, later)
    await before.close()

    const asked: string[] = []
    const loaded: string[] = []
    const entries: StateEntries = {
      write: (changes) => store.entries.write(changes),
      purge: (now) => store.entries.purge(now),
      keys: (namespace, now) => store.entries.keys(namespace, now, 7),
      async *pages(now, without) {
        for await (const page of store.entries.pages(now, without)) {
          loaded.push(...page.map(({ namespace }) => namespace))
          yield page
        }
      },
      read(namespace, name, now) {
        asked.push(name)
        return store.entries.read(namespace, name, now)
      },
    }
    const state = await openStateStore({ entries, clock: systemClock, maxEntries: 1000 })
    expect(loaded).toEqual(['count'])
    for (let at = 0; at < 50; at += 1) expect(await state.get('response', key(at))).toEqual(kept(at))
    expect(asked).toHaveLength(50)
    // Once read it is there; what was never kept is not looked for, but for one in many by mistake.
    for (let at = 0; at < 1000; at += 1) expect(await state.get('response', key(at))).toEqual(at < 50 ? kept(at) : undefined)
    expect(asked.length).toBeLessThan(55)
    await state.close()

    asked.length = 0
    const place = await openMemoryPlace({ entries, clock: systemClock, maxEntries: 1000 })
    const read = await place.read([40, 41, 60].map((at) => ({ namespace: 'response' as const, key: key(at) })))
    expect(read.map(({ text }) => text)).toEqual([JSON.stringify(kept(40)), JSON.stringify(kept(41)), undefined])
    expect(asked.length).toBeLessThanOrEqual(3)
    await place.close()
  } finally {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
