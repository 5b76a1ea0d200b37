/** A model call that is asked of several upstreams at the same time: whether it may be, and what that costs it. */
import type { Attempts } from '../../models/balancing/attempts.ts'
import type { Hedging } from '../../models/hedging.ts'
import type { ModelCall } from '../call.ts'

/**
 * Whether it does no harm that two vendors get the request. Nobody is in a hurry for a line of a batch or an answer that is made in the
 * background; what a vendor keeps it would keep twice, and what its own tools do they would do twice.
 */
export function mayGoOutTwice({ caller, origin, keeping, dialect, body, view }: ModelCall): boolean {
  if (caller.batch !== undefined || origin.background !== undefined) return false
  const { store } = body.fields
  const isKeptThere = keeping === undefined && (dialect.kept === undefined ? store === true : store !== false)
  return !isKeptThere && !view.tools.some(({ runs }) => runs === 'vendor')
}

/** Undefined where nobody is asked beside another one. */
export function hedgingOf(call: ModelCall, attempts: Attempts): Hedging | undefined {
  if (attempts.hedge === undefined) return undefined
  const { limits, rounds, services, view } = call
  return {
    async hasRoom(target) {
      try {
        return (await limits?.beside(target)) ?? true
      } catch {
        // Nobody can tell what is left: the one that was chosen is waited for.
        return false
      }
    },
    async onRaced(race) {
      rounds.noteRace(race, view.model)
      for (const target of race.asked.slice(1)) {
        const result = target === race.won ? 'won' : race.cut.includes(target) ? 'cut_off' : 'failed'
        services.telemetry.count('turnward_upstream_hedges_total', { upstream: target.upstream.name, result })
      }
      for (const target of race.cut) await limits?.leave(target)
    },
  }
}
