/**
 * Tells a server that was emptied from one that is new: what was never kept there and what was lost look alike, and only of
 * the first may anybody say that it has never been. A mark stands beside the values, and goes when they go; that there has
 * been one is noted in the store, which does not go with them.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../core/clock.ts'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import type { Epoch } from '../versioned/versioned-place.ts'

/** Where it is noted for the life of the installation that a mark was set. */
export interface NotedMarks {
  /** Notes `at` (Unix milliseconds) under this name unless something is noted there. Resolves with what is, and whether it is this. */
  noteOnce(name: string, at: number): Promise<{ readonly at: number; readonly isNew: boolean }>
}

export interface EpochsOptions {
  /** What every key begins with. */
  readonly prefix: string
  /** Whether the keys of a slot may be lost without those of others: a cluster keeps them at several servers. */
  readonly isSpread: boolean
  /** Without it no epoch is begun here: the place is only looked at. */
  readonly noted: NotedMarks | undefined
  readonly clock: Clock
  readonly logger: Logger
  /** The text of a mark; null when there is none. */
  readonly read: (mark: string) => Promise<string | null>
  /** Sets a mark where there is none. */
  readonly setOnce: (mark: string, text: string) => Promise<void>
}

/** Nobody has written there. */
const unbegun: Epoch = { id: '', lostAt: undefined }

/** How long somebody who has noted a mark may take to set it. */
const settingMs = 5000
const lookAgainMs = 25
const looks = 20

export class Epochs {
  readonly #options: EpochsOptions
  readonly #known = new Map<string, Epoch>()
  readonly #beginning = new Map<string, Promise<Epoch>>()
  /** When values were lost last, as far as it was seen (Unix milliseconds). */
  lastLoss: number | undefined

  constructor(options: EpochsOptions) {
    this.#options = options
  }

  /** Key of the mark that goes when the keys of this slot go. */
  markOf(slot: string): string {
    const { prefix, isSpread } = this.#options
    return isSpread ? `${prefix}{${tagOf(slot)}}epoch` : `${prefix}epoch`
  }

  /**
   * What all keys of a slot begin with in an epoch; between the braces is what a cluster places them by. What is left of an
   * earlier epoch is out of reach, because it may be older than what was lost.
   */
  keysOf(slot: string, epoch: string): string {
    const { prefix, isSpread } = this.#options
    const name = epoch.slice(0, epoch.indexOf('.'))
    return isSpread ? `${prefix}{${tagOf(slot)}}${slot}:${name}:` : `${prefix}{${slot}}${name}:`
  }

  /** The epoch as it was last seen. */
  known(mark: string): Epoch | undefined {
    return this.#known.get(mark)
  }

  /** Takes up the text of a mark; undefined when there is no mark. */
  see(mark: string, held: string | null): Epoch | undefined {
    if (held === null || held === '') return undefined
    const known = this.#known.get(mark)
    if (known?.id === held) return known
    const lost = held.slice(held.indexOf('.') + 1)
    const epoch: Epoch = { id: held, lostAt: lost === '' ? undefined : Number(lost) }
    this.#known.set(mark, epoch)
    if (epoch.lostAt !== undefined) this.lastLoss = Math.max(this.lastLoss ?? 0, epoch.lostAt)
    return epoch
  }

  /** There is no mark: begins an epoch. Rejects with `state.unavailable` when nobody can tell whether it is the first. */
  begin(mark: string): Promise<Epoch> {
    const beginning = this.#beginning.get(mark) ?? this.#begin(mark).finally(() => this.#beginning.delete(mark))
    this.#beginning.set(mark, beginning)
    return beginning
  }

  /** Values were lost although the mark is there: another one was set. */
  lost(mark: string, text: string): void {
    this.#tell(this.see(mark, text))
  }

  #tell(epoch: Epoch | undefined): void {
    if (epoch?.lostAt === undefined) return
    this.#options.logger.error(
      { code: 'state.unavailable', lostAt: new Date(epoch.lostAt).toISOString() },
      'the shared state has lost what it held: sessions that begin now count as unknown, because nobody can tell what they have read before',
    )
  }

  /** The mark was there before this process: that is noted as well, where the store has come later or is another one. */
  async join(mark: string): Promise<void> {
    const { noted, clock } = this.#options
    if (noted !== undefined) await this.#note(noted, mark, clock.now())
  }

  #note(noted: NotedMarks, mark: string, now: number): ReturnType<NotedMarks['noteOnce']> {
    return noted.noteOnce(mark, now).catch((cause: unknown) => {
      const why = `whether it was emptied cannot be told, because the store cannot be asked: ${asTurnwardError(cause).why ?? 'it failed'}`
      throw new TurnwardError('state.unavailable', { why, retryAfterSeconds: 1, cause })
    })
  }

  async #begin(mark: string): Promise<Epoch> {
    const { clock, noted, read, setOnce } = this.#options
    if (noted === undefined) return unbegun
    const now = clock.now()
    const first = await this.#note(noted, mark, now)
    if (!first.isNew && Math.abs(now - first.at) < settingMs) {
      // Whoever has noted it a moment ago is about to set it.
      for (let look = 0; look < looks; look += 1) {
        const epoch = this.see(mark, await read(mark))
        if (epoch !== undefined) return epoch
        await sleep(lookAgainMs)
      }
    }
    await setOnce(mark, epochText(first.isNew ? undefined : now))
    const epoch = this.see(mark, await read(mark))
    if (epoch === undefined) throw new TurnwardError('state.unavailable', { why: 'what was written is not there', retryAfterSeconds: 1 })
    this.#tell(epoch)
    return epoch
  }
}

/** What a mark says: a name nobody else has given, and when values were lost before it. */
export function epochText(lostAt?: number): string {
  return `${randomBytes(6).toString('base64url')}.${lostAt ?? ''}`
}

/** Few enough that each of them is soon known, enough to spread over the servers of a cluster. */
function tagOf(slot: string): string {
  return slot.slice(0, 2)
}
