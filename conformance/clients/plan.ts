/**
 * What the model of a run will do, written into the prompt. Base64, because clients quote, escape and trim what a person
 * types, and the plan must come out as it went in.
 */

/** A call the model makes, by the very name this client offers the tool under; offered or not, the model makes it. */
export interface PlannedCall {
  readonly name: string
  /** Responses only: the group of tools that the name belongs to. */
  readonly namespace?: string
  readonly args: object
}

/** One call a round: the next is made when the one before has been answered. */
export type Plan = readonly PlannedCall[]

/** The last thing the model says; a turn that ends well shows it. */
export const closingWords = 'The plan has been carried out.'

/** A prompt that carries a plan. */
export function promptFor(plan: Plan): string {
  return `Please act out plan:${Buffer.from(JSON.stringify(plan)).toString('base64url')}:end of plan.`
}

/** The plan that a text carries, or undefined. */
export function planIn(text: string): Plan | undefined {
  const found = /plan:([A-Za-z0-9_-]+):end/.exec(text)?.[1]
  return found === undefined ? undefined : (JSON.parse(Buffer.from(found, 'base64url').toString()) as Plan)
}
