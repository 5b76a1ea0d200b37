/**
 * The ledger of what a session has done: reserve when a call is released, settle or release when it ended.
 * A reservation counts at once, so two parallel calls cannot both pass `not_done`; only success counts for `done`.
 */
import type { EffectLedger } from './types.ts'

/**
 * Mark of an effect that may have happened although nobody vouches for it: hinted by the server, reported by a
 * history this gateway did not see, or reserved so long ago that the call was given up. It blocks, it never satisfies.
 */
const unconfirmed = '?'
/** Calls of one session whose end is still awaited; beyond it the oldest are given up and become unconfirmed. */
const maxReserved = 256
/** Ended calls that are remembered; of an older one the history can only say that its effects may have happened. */
const maxEnded = 256

export const emptyLedger: EffectLedger = { done: [], reserved: {} }

/** Stands for every effect, where nobody knows what was done. */
const anyEffect = `${unconfirmed}*`

/** Anything may have been done. */
export const unknownLedger: EffectLedger = { done: [anyEffect], reserved: {} }

/** Whether it is that of a session of which nobody knows what it has done. */
export function isUnknownLedger({ done }: EffectLedger): boolean {
  return done.includes(anyEffect)
}

/** The effect as one that may have happened. */
export function unconfirmedEffect(effect: string): string {
  return effect.startsWith(unconfirmed) ? effect : `${unconfirmed}${effect}`
}

/** Whether a configured effect name is free of the mark. */
export function isEffectName(name: string): boolean {
  return !name.startsWith(unconfirmed)
}

/** Whether an effect certainly happened in this session: what `done` asks. */
export function isDone(ledger: EffectLedger, effect: string): boolean {
  return ledger.done.includes(effect)
}

/** Whether an effect happened, may have happened, or is under way in another call: what `not_done` asks. */
export function mayBeDone(ledger: EffectLedger, effect: string, callKey: string): boolean {
  const marked = unconfirmedEffect(effect)
  const names = (effects: readonly string[]) => effects.includes(effect) || effects.includes(marked) || effects.includes(anyEffect)
  return names(ledger.done) || Object.entries(ledger.reserved).some(([key, effects]) => key !== callKey && names(effects))
}

/** Effects that certainly happened, without those that only may have. */
export function confirmedEffects(ledger: EffectLedger): readonly string[] {
  return ledger.done.filter(isEffectName)
}

/** Notes that a call with these effects (`Verdict.effects`) is released. Reserving a key again adds to it. */
export function reserve(ledger: EffectLedger, callKey: string, effects: readonly string[]): EffectLedger {
  if (effects.length === 0) return ledger
  const before = Object.hasOwn(ledger.reserved, callKey) ? (ledger.reserved[callKey] ?? []) : []
  const others = Object.entries(ledger.reserved).filter(([key]) => key !== callKey)
  const givenUp = others.splice(0, Math.max(0, others.length + 1 - maxReserved)).flatMap(([, abandoned]) => abandoned)
  return {
    ...ledger,
    done: withEffects(ledger.done, givenUp.map(unconfirmedEffect)),
    reserved: Object.fromEntries([...others, [callKey, sortedUnique([...before, ...effects])]]),
  }
}

/** The call succeeded: what it had reserved is done. A key that was never reserved changes nothing. */
export function settle(ledger: EffectLedger, callKey: string): EffectLedger {
  if (!Object.hasOwn(ledger.reserved, callKey)) return ledger
  return { ...ledger, done: withEffects(ledger.done, ledger.reserved[callKey] ?? []), reserved: without(ledger.reserved, callKey) }
}

/** The call did not happen or failed: what it had reserved is free again. */
export function release(ledger: EffectLedger, callKey: string): EffectLedger {
  return Object.hasOwn(ledger.reserved, callKey) ? { ...ledger, reserved: without(ledger.reserved, callKey) } : ledger
}

/** Notes effects that may have happened. Those that certainly did stay certain. */
export function suspect(ledger: EffectLedger, effects: readonly string[]): EffectLedger {
  const news = effects.filter((effect) => !ledger.done.includes(effect)).map(unconfirmedEffect)
  return news.length === 0 ? ledger : { ...ledger, done: withEffects(ledger.done, news) }
}

/** Notes that a call ended where it ran, well or not: whoever tells of it later adds nothing. */
export function noteEnd(ledger: EffectLedger, callKey: string): EffectLedger {
  return isEnded(ledger, callKey) ? ledger : { ...ledger, ended: [...(ledger.ended ?? []), callKey].slice(-maxEnded) }
}

/** Whether a call is known to have ended where it ran. */
export function isEnded(ledger: EffectLedger, callKey: string): boolean {
  return ledger.ended?.includes(callKey) === true
}

function withEffects(done: readonly string[], effects: readonly string[]): readonly string[] {
  return effects.every((effect) => done.includes(effect)) ? done : sortedUnique([...done, ...effects])
}

function without(reserved: EffectLedger['reserved'], callKey: string): EffectLedger['reserved'] {
  return Object.fromEntries(Object.entries(reserved).filter(([key]) => key !== callKey))
}

function sortedUnique(effects: readonly string[]): readonly string[] {
  return [...new Set(effects)].sort()
}
