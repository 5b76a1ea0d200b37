/**
 * What restricts a key or a token further than its owner: names and patterns that it may use at most. Plain data, because it is
 * stored with keys and written into tokens; `policy/` compiles it. It can only take away.
 */

/** Kinds of things that are granted by name. */
export type GrantKind = 'models' | 'gateways' | 'tools'

export interface Within {
  /** Names and `*` patterns. A kind that is absent is as its owner's; an empty list leaves nothing of it. */
  readonly models?: readonly string[] | undefined
  readonly gateways?: readonly string[] | undefined
  readonly tools?: readonly string[] | undefined
  /** Another restriction that holds as well. */
  readonly and?: Within | undefined
}

/** Both restrictions at once: what either takes away is gone. */
export function bothWithin(one: Within | undefined, other: Within | undefined): Within | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return one.and === undefined ? { ...one, and: other } : { ...one, and: bothWithin(one.and, other) }
}
