/**
 * When keys were last used, as people want to know it before they revoke one: to the minute. A call only notes it in memory;
 * what was noted is written once a second, each key at most once a minute.
 */
import { BoundedMap } from '../../../core/bounded-map.ts'
import type { Clock } from '../../../core/clock.ts'
import { asTurnwardError } from '../../../core/error.ts'
import type { Logger } from '../../../core/logger.ts'
import type { KeyTable } from '../../../store/keys.ts'

const everyMs = 60_000
const writeAfterMs = 1000
const mostKeys = 10_000

export interface KeyUsesOptions {
  readonly keys: Pick<KeyTable, 'noteUses'>
  readonly clock: Clock
  readonly logger: Logger
}

export class KeyUses {
  readonly #options: KeyUsesOptions
  /** When the use of a key was noted last, on the monotonic clock. */
  readonly #noted = new BoundedMap<string, number>({ most: mostKeys })
  #unwritten = new Map<string, number>()
  #isWaiting = false

  constructor(options: KeyUsesOptions) {
    this.#options = options
  }

  note(key: string): void {
    const { clock } = this.#options
    const now = clock.monotonic()
    const noted = this.#noted.get(key)
    if (noted !== undefined && now < noted + everyMs) return
    this.#noted.set(key, now)
    this.#unwritten.set(key, clock.now())
    if (this.#isWaiting) return
    this.#isWaiting = true
    // Nobody's exit waits for it.
    setTimeout(() => {
      this.#write().catch(() => {})
    }, writeAfterMs).unref()
  }

  async #write(): Promise<void> {
    this.#isWaiting = false
    const uses = this.#unwritten
    this.#unwritten = new Map()
    try {
      await this.#options.keys.noteUses(uses)
    } catch (error) {
      this.#options.logger.debug({ code: asTurnwardError(error).code }, 'when keys were last used could not be written')
    }
  }
}
