/** The places where the shared state can be kept, as one table: what is promised of one is promised of all. */
import { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../core/clock.ts'
import { silentLogger } from '../core/logger.ts'
import { openStore } from '../store/store.ts'
import { openStateStore } from './memory-state-store.ts'
import type { StateStore } from './state-store.ts'
import type { NotedMarks } from './valkey/epochs.ts'
import { openValkeyState } from './valkey/open-valkey-state.ts'
import { openMemoryPlace } from './versioned/memory-place.ts'
import { wholeEpoch, type VersionedPlace } from './versioned/versioned-place.ts'
import { VersionedState } from './versioned/versioned-state.ts'

/** An empty state that several gateways share. */
export interface SharedState extends AsyncDisposable {
  /** As one gateway has it. */
  open(): Promise<StateStore>
}

export interface StateBackend {
  readonly name: string
  /** Why it cannot be tested here. */
  readonly isMissing: boolean
  make(): Promise<SharedState>
}

const redis = process.env['TURNWARD_TEST_REDIS']
let prefixes = 0

export const stateBackends: readonly StateBackend[] = [
  { name: 'memory', isMissing: false, make: inMemory },
  { name: 'memory of the process that owns it', isMissing: false, make: atTheOwner },
  { name: 'valkey', isMissing: redis === undefined, make: async () => onValkey(redis ?? '') },
]

async function inMemory(): Promise<SharedState> {
  const folder = mkdtempSync(join(tmpdir(), 'turnward-state-'))
  const store = await openStore({ kind: 'sqlite', dataDir: folder })
  const state = await openStateStore({ entries: store.entries, clock: systemClock, maxEntries: 10_000 })
  return {
    open: async () => state,
    async [Symbol.asyncDispose]() {
      await state.close()
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** As workers have it, without the way between them and their owner: `cli/workers/link-place.test.ts` has that. */
async function atTheOwner(): Promise<SharedState> {
  const folder = mkdtempSync(join(tmpdir(), 'turnward-state-'))
  const store = await openStore({ kind: 'sqlite', dataDir: folder })
  const owned = await openMemoryPlace({ entries: store.entries, clock: systemClock, maxEntries: 10_000 })
  const topics = new EventEmitter()
  const place: VersionedPlace = {
    clock: systemClock,
    read: async (_slot, keys) => ({ values: await owned.read(keys), epoch: wholeEpoch }),
    async write(_slot, write) {
      const result = await owned.write(write)
      if (result.kind === 'ok') for (const topic of write.announce) topics.emit(topic)
      return result
    },
    listen(topic, listener) {
      topics.on(topic, listener)
      return () => topics.off(topic, listener)
    },
    health: () => undefined,
    epochOf: () => wholeEpoch,
    lastLoss: () => undefined,
    close: async () => {},
  }
  return {
    open: async () => new VersionedState(place),
    async [Symbol.asyncDispose]() {
      await owned.close()
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** What a store notes, without one. */
export function notedInMemory(): NotedMarks {
  const noted = new Map<string, number>()
  return {
    async noteOnce(name, at) {
      const before = noted.get(name)
      if (before === undefined) noted.set(name, at)
      return { at: before ?? at, isNew: before === undefined }
    },
  }
}

/** Every gateway has a connection of its own. `timeoutMs` is long: the machine of a test may be busy. */
export function onValkey(url: string, timeoutMs = 10_000): SharedState {
  prefixes += 1
  const prefix = `test-${process.pid}-${prefixes}:`
  const opened: StateStore[] = []
  const noted = notedInMemory()
  return {
    async open() {
      const state = await openValkeyState({ url, prefix, timeoutMs, noted, clock: systemClock, logger: silentLogger })
      opened.push(state)
      return state
    },
    async [Symbol.asyncDispose]() {
      for (const state of opened) await state.close()
    },
  }
}
