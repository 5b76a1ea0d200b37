/** One caller of what the ways have found. */
import { TurnwardError } from '../core/error.ts'
import type { Caller } from '../core/principal.ts'
import type { Identity } from './ways/way.ts'

const callers = new WeakMap<Identity, Caller>()

/** Throws `auth.missing_key` for nobody, and `auth.two_identities` for two that are not the same. */
export function callerOf([first, ...others]: readonly Identity[]): Caller {
  if (first === undefined) throw new TurnwardError('auth.missing_key')
  for (const other of others)
    if (other.principal.id !== first.principal.id)
      throw new TurnwardError('auth.two_identities', { why: `the ${first.way} and the ${other.way} of the request say different things` })
  let caller = callers.get(first)
  if (caller === undefined) {
    const { way: _, id, actors, ...rest } = first
    caller = Object.freeze({ ...rest, key: id, actors, actor: actors[0] ?? null })
    callers.set(first, caller)
  }
  return caller
}
