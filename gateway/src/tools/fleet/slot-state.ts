/** What a server of the fleet can be, and what that is for those who look after it. */
import type { Clock } from '../../core/clock.ts'
import type { ServerStatus } from '../catalogue.ts'
import type { Exchange } from '../connectors/exchange.ts'

export type SlotState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'starting'; readonly done: Promise<void>; readonly isListed: boolean }
  | { readonly kind: 'ready'; readonly exchange: Exchange; readonly since: number }
  /** Its child is stopped because nobody used it; what it listed is shown on. */
  | { readonly kind: 'asleep' }
  /** It answers people only: what it has was listed on the connection of one of them. */
  | { readonly kind: 'lent' }
  | { readonly kind: 'failed'; readonly why: string }

/** A child that starts again is at hand, and a server that answers people only has been reached. */
export function shownState({ state, isAtHand }: { readonly state: SlotState['kind']; readonly isAtHand: boolean }): ServerStatus['state'] {
  if (state === 'lent') return 'ready'
  return state === 'starting' && isAtHand ? 'asleep' : state
}

/** Why a server is not ready, or which of its tools are missing (`missing`); undefined when all is well. */
export function detailOf(state: SlotState, isAtHand: boolean, missing: () => string | undefined): string | undefined {
  if (state.kind === 'failed') return state.why
  if (isAtHand) return missing()
  if (state.kind === 'lent') return 'it answers people only, and nobody has connected an account yet'
  return state.kind === 'starting' ? 'it is starting' : 'it has not been started'
}

/** The state of a server, since when, and how often it was opened. */
export class SlotLife {
  readonly #clock: Pick<Clock, 'now'>
  #state: SlotState = { kind: 'idle' }
  #since: number
  #opened = 0
  /** It has failed, and was not there since. */
  #hasFailed = false
  #era: Exchange['era'] | undefined
  #version: string | undefined

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
    this.#since = clock.now()
  }

  get state(): SlotState {
    return this.#state
  }

  /** Unix milliseconds. */
  get since(): number {
    return this.#since
  }

  /** How often it was opened again after the first time. */
  get restarts(): number {
    return Math.max(0, this.#opened - 1)
  }

  /** The era it spoke last; undefined before it was connected. */
  get era(): Exchange['era'] | undefined {
    return this.#era
  }

  /** The version of the protocol, as `era`. */
  get version(): string | undefined {
    return this.#version
  }

  become(next: SlotState): void {
    // One that fails again and again has been down since it failed first.
    const isRetry = this.#hasFailed && (next.kind === 'starting' || next.kind === 'failed')
    if (next.kind !== this.#state.kind && !isRetry) this.#since = this.#clock.now()
    this.#hasFailed = isRetry || next.kind === 'failed'
    if (next.kind === 'ready') {
      this.#opened += 1
      this.#era = next.exchange.era
      this.#version = next.exchange.version
    }
    this.#state = next
  }
}
