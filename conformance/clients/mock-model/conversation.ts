/** What a client sent, in no dialect's words, and what the model answers to it. */
import { closingWords, planIn, type PlannedCall } from '../plan.ts'

/** One thing of a history, in the order it was said. */
export type Said = { readonly kind: 'user' | 'result'; readonly text: string } | { readonly kind: 'call' }

export interface Conversation {
  readonly history: readonly Said[]
  /** Whether the client offered any tool: without one it wants a title or a summary, not work. */
  readonly offersTools: boolean
}

export interface Answer {
  readonly text: string
  readonly call?: PlannedCall & { readonly id: string }
}

/** Results the model has been shown since it was given its plan. */
export function resultsOf({ history }: Conversation): readonly string[] {
  return history.slice(planPlace(history) + 1).flatMap((said) => (said.kind === 'result' ? [said.text] : []))
}

/** The next call of the plan, or the closing words when it is done. */
export function answerTo(conversation: Conversation, id: string): Answer {
  const { history, offersTools } = conversation
  const place = planPlace(history)
  const given = history[place]
  const plan = given?.kind === 'user' ? planIn(given.text) : undefined
  if (!offersTools || plan === undefined) return { text: 'A short title' }
  const call = plan[history.slice(place).filter(({ kind }) => kind === 'call').length]
  return call === undefined ? { text: closingWords } : { text: 'The next step.', call: { ...call, id } }
}

function planPlace(history: readonly Said[]): number {
  return history.findLastIndex((said) => said.kind === 'user' && planIn(said.text) !== undefined)
}
