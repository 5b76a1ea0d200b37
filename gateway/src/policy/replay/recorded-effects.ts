/**
 * The ledger of a session as far as its records tell: what was done for certain, and what may have been. The log says how calls
 * ended that ran here, and of those that clients ran only that they were released.
 */
import { effectiveContract } from '../contracts.ts'
import type { EffectLedger, Policy } from '../types.ts'
import type { ReplayedTool } from './sides.ts'

interface CallEffects {
  readonly effects: readonly string[]
  /** `open`: released, and not known to have ended. `may`: whether it was done is not known. */
  state: 'open' | 'done' | 'may'
  readonly endsHere: boolean
}

export type HowReleased = 'released' | 'refused' | 'not known'

/** What a session has done at least, and at most. */
export interface LedgerBounds {
  readonly least: EffectLedger
  readonly most: EffectLedger
}

export class RecordedEffects {
  readonly #policy: Policy
  readonly #calls = new Map<string, CallEffects>()
  readonly #hinted = new Set<string>()

  constructor(policy: Policy) {
    this.#policy = policy
  }

  decided(key: string, { tool, isListed }: ReplayedTool, how: HowReleased, endsHere: boolean): void {
    if (how === 'refused') return
    const { contract, hinted } = effectiveContract(this.#policy.contractOf(tool.name), tool)
    const certain = contract.effects.filter((effect) => !hinted.includes(effect))
    // What only a hint speaks for blocks and satisfies nothing, as in the ledger of a session.
    for (const effect of isListed ? hinted : ['mutation']) this.#hinted.add(effect)
    if (certain.length === 0) return
    const known = this.#calls.get(key)
    this.#calls.set(key, {
      effects: certain,
      state: known?.state ?? (how === 'released' ? 'open' : 'may'),
      endsHere: endsHere || known?.endsHere === true,
    })
  }

  /** A call that ran here has ended. */
  ended(key: string, { tool }: ReplayedTool, outcome: string | undefined): void {
    const call = this.#calls.get(key)
    if (call === undefined || outcome === 'asked' || outcome === 'task') return
    if (outcome === 'tool_error' || outcome === 'refused') this.#calls.delete(key)
    else if (call.state === 'open')
      call.state = outcome === 'ok' && this.#policy.contractOf(tool.name)?.succeeded === undefined ? 'done' : 'may'
  }

  /** The conversation goes on: what clients ran has ended, one way or the other. */
  goneOn(): void {
    for (const call of this.#calls.values()) if (call.state === 'open' && !call.endsHere) call.state = 'may'
  }

  /** What was done for certain. */
  get done(): ReadonlySet<string> {
    return new Set(this.#in('done'))
  }

  /** `besides`: what may have been done besides, by whoever this session goes on from. */
  bounds(besides: Iterable<string>): LedgerBounds {
    const open = [...this.#calls].filter(([, { state }]) => state === 'open')
    const reserved = Object.fromEntries(open.map(([key, { effects }]) => [key, effects]))
    const done = this.#in('done')
    return {
      least: { done: sorted(done), reserved },
      most: { done: sorted([...done, ...this.#in('may'), ...this.#hinted, ...besides]), reserved },
    }
  }

  #in(state: CallEffects['state']): readonly string[] {
    return [...this.#calls.values()].filter((call) => call.state === state).flatMap(({ effects }) => effects)
  }
}

function sorted(effects: readonly string[]): readonly string[] {
  return [...new Set(effects)].toSorted()
}
