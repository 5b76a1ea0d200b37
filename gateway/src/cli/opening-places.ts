/**
 * From the settings to what everything is kept in: the one function that opens keys, decision log and state, for a process
 * that serves alone and for one of several. What several can only have together is handed in by the process that owns it.
 */
import { openDecisionLog, type DecisionLogOptions, type OpenDecisionLog } from '../audit/log-writer.ts'
import { LiveFeedThread } from '../audit/live/live-feed.ts'
import { LogReadingThread } from '../audit/reading/log-reading.ts'
import type { Snapshot } from '../config/snapshot.ts'
import { systemClock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { openStateStore } from '../state/memory-state-store.ts'
import type { StateStore } from '../state/state-store.ts'
import type { Store } from '../store/store.ts'
import { openingSettingsOf, openStoreAndLogPlace, readingPlaceOf, storePlaceOf } from './places.ts'
import { openSharedState } from './shared-state.ts'

export interface Places {
  readonly store: Store
  readonly log: OpenDecisionLog
  /** The log as people read it. */
  readonly reading: LogReadingThread
  /** The log as people follow it. */
  readonly feed: LiveFeedThread
  readonly state: StateStore
  /** Which chain of the decision log it writes, for people. */
  readonly chain: string
}

/** What a worker uses of the process that started it: the embedded log has one writer, the embedded state one memory. */
export interface OwnedPlaces {
  readonly log: OpenDecisionLog
  readonly state: StateStore
}

export interface PlacesOptions {
  readonly current: Snapshot
  /** Which of the processes of this replica it is, from 0. */
  readonly worker: number
  readonly logger: Logger
  readonly onLogFailure: () => void
  /** The store, where it is open already; whoever has opened it closes it. */
  readonly store?: Store | undefined
}

/** Opens them in order; each is added to `opened`, to be closed in the reverse order. Rejects with the error of the first that cannot be opened. */
export async function openPlaces(
  { current, worker, logger, onLogFailure, store: open }: PlacesOptions,
  opened: { close(): Promise<void> }[],
  owned?: OwnedPlaces,
): Promise<Places> {
  const { settings } = current
  const { store, log: place } = await openStoreAndLogPlace(openingSettingsOf(current), worker, open)
  if (store !== open) opened.push(store)
  const own =
    owned === undefined ? await openDecisionLog({ place, ...checkpointsOf(settings), logger, onFailure: onLogFailure }) : undefined
  const log = own ?? (owned as OwnedPlaces).log
  opened.push(log)
  if (owned === undefined) await holdMemoryState(current, logger, opened)
  const state = await openState(current, store, logger, owned)
  opened.push(state)
  const readingPlace = readingPlaceOf(openingSettingsOf(current))
  const reading = new LogReadingThread(readingPlace)
  const feed = new LiveFeedThread(readingPlace)
  opened.push(reading, feed)
  return { store, log, reading, feed, state, chain: own === undefined ? 'of the process that started it' : `writer ${own.writer}` }
}

/** How often the log is signed. */
export function checkpointsOf({
  audit,
}: Pick<Snapshot['settings'], 'audit'>): Pick<DecisionLogOptions, 'checkpointRecords' | 'checkpointMs'> {
  return { checkpointRecords: audit.checkpoint_records, checkpointMs: audit.checkpoint_ms }
}

/** The state in the memory of one process, kept in a database that others can reach as well: a second process would lose what the first has learned. */
export async function holdMemoryState(current: Snapshot, logger: Logger, opened: { close(): Promise<void> }[]): Promise<void> {
  const place = storePlaceOf(openingSettingsOf(current))
  if (place.kind !== 'postgres' || current.settings.state.kind !== 'memory') return
  const why = 'another gateway keeps its state in this database, and `state.kind: memory` is for one'
  const { holdAlone } = await import('../store/postgres/sole-holder.ts')
  const holder = await holdAlone(place.database, 'state', why)
  opened.push({ close: () => holder.release() })
  holder.lost
    .then(() => {
      logger.error({ code: 'store.failed', why }, 'another gateway has taken over: this one stops')
      process.kill(process.pid, 'SIGTERM')
    })
    .catch(() => {})
}

async function openState({ settings }: Snapshot, store: Store, logger: Logger, owned: OwnedPlaces | undefined): Promise<StateStore> {
  if (settings.state.kind === 'valkey') return openSharedState(settings, { noted: store.notedMarks, clock: systemClock, logger })
  return owned?.state ?? openStateStore({ entries: store.entries, clock: systemClock, maxEntries: mostStateEntries(settings) })
}

/** Most values of the embedded state that are in memory, per namespace. */
export function mostStateEntries({ turns }: Pick<Snapshot['settings'], 'turns'>): number {
  return turns.max_sessions * 8
}
