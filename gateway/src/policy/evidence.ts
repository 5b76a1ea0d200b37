/**
 * What the engine is told besides state and event. It is data handed in, so that the engine stays a function: whoever
 * looks up where a value came from, or asks a person, does it before and elsewhere.
 */
import { digestJson } from '../core/hash.ts'
import type { JsonObject } from '../core/json.ts'
import { join } from './label.ts'
import type { Label } from './types.ts'

export interface Evidence {
  /** Labels of where it came from: the values of a call's arguments, what a result repeats or was made of. Each counts like what the session has read. */
  readonly origins: readonly Label[]
  /** What people have ruled on calls. */
  readonly rulings: readonly Ruling[]
  /** Where values of a call's arguments, and links in them, stand: their text -> each source that has it. Absent: nothing was looked up. */
  readonly values?: ReadonlyMap<string, readonly ValueSource[]> | undefined
}

/** A text that a value stands in: whose words they are, and their own label. */
export interface ValueSource {
  /** `principal`: what the person wrote. `operator`: instructions. `result`: of a tool. `model`: what a model said. `endorsed`: a person vouched for the value. `record`: it is the id of a record that the person named. */
  readonly kind: 'principal' | 'operator' | 'result' | 'model' | 'endorsed' | 'record'
  /** Of a record: its kind. */
  readonly of?: string | undefined
  readonly label: Label
}

/** What a person ruled on one exact call. It lifts no label and holds for no other call. */
export interface Ruling {
  readonly ruling: 'approve' | 'refuse'
  /** Id of the principal who ruled; of several, all of them. */
  readonly by: string
  /** Why, in that person's words. */
  readonly reason?: string | undefined
  /** The call, and the SHA-256 (hex) of its canonical arguments as that person saw them. */
  readonly callKey: string
  readonly argumentsDigest: string
}

/** Nothing is known besides state and event. */
export const noEvidence: Evidence = { origins: [], rulings: [] }

/** It came from here, and nobody ruled on it. What is undefined came from nowhere in particular. */
export function comesFrom(...origins: readonly (Label | undefined)[]): Evidence {
  const known = origins.filter((label) => label !== undefined)
  return known.length === 0 ? noEvidence : { origins: known, rulings: [] }
}

/** A label with those of where something came from. */
export function withOrigins(label: Label, { origins }: Evidence): Label {
  return origins.reduce(join, label)
}

/** The ruling on exactly this call. Of several, a refusal counts. */
export function rulingOn({ rulings }: Evidence, callKey: string, args: JsonObject | undefined): Ruling | undefined {
  const named = rulings.filter((ruling) => ruling.callKey === callKey)
  if (named.length === 0 || args === undefined) return undefined
  const digest = digestJson(args)
  const exact = named.filter(({ argumentsDigest }) => argumentsDigest === digest)
  return exact.find(({ ruling }) => ruling === 'refuse') ?? exact[0]
}
