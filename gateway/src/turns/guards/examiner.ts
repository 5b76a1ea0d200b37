/**
 * A guard that asks somebody: a service, or a model. It is shown texts together, with what came before taken out of them, and says what it has
 * found. What it cannot say is no pass.
 */
import type { Snapshot } from '../../config/snapshot.ts'
import type { CancelSignal } from '../../core/cancellation.ts'
import type { AttachedCall } from '../call.ts'
import type { MakePlaceholder, Place } from './guard.ts'
import type { Side } from './what-guards-read.ts'

/** For whom is asked, and with what. */
export interface Asking extends Pick<AttachedCall, 'services' | 'caller' | 'turn'> {
  readonly snapshot: Snapshot
  readonly session: AttachedCall['session'] | null
  readonly signal: CancelSignal
  readonly model: string
  /** Gives the placeholder of a value, where what is found comes back; what it becomes for good otherwise. */
  readonly placeholder: MakePlaceholder
}

export interface ShownText {
  readonly place: Place
  readonly text: string
}

/** What it says of texts. */
export interface Examined {
  /** Kinds of what it has found, in words of ours or of its vendor; empty: nothing. */
  readonly found: readonly string[]
  /** The texts as they may be, one for each, where it can write them otherwise. */
  readonly texts?: readonly string[]
}

export interface Examiner {
  /** Characters that it is asked about at once. */
  readonly most: number
  /** What it is about, where that is not every text: what the user said last, and an answer as a whole. */
  readonly isAboutLast?: boolean
  /** Rejects with `ServiceFailure` when it does not say, and with the abort reason. */
  examine(side: Side, texts: readonly ShownText[], asking: Asking): Promise<Examined>
}

/** Why there is no word of a service. Told to callers and to the log: it never quotes what was sent or answered. */
export class ServiceFailure extends Error {
  constructor(why: string, cause?: unknown) {
    super(why, { cause })
    this.name = 'ServiceFailure'
  }
}

const speakable = /^[\w./ -]{1,64}$/

/** Names of a service's own, as they may be told and put on record. */
export function kindsOf(names: Iterable<unknown>): readonly string[] {
  return [...new Set([...names].map((name) => (typeof name === 'string' && speakable.test(name) ? name : 'something')))].slice(0, 32)
}
