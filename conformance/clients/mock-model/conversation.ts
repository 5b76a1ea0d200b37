/** What a client sent, in no dialect's words, and what the model answers to it. */
import { closingWords, planIn, type PlannedCall } from '../plan.ts'

/** One thing of a history, in the order it was said. */
export type Said = { readonly kind: 'user' | 'result'; readonly text: string } | { readonly kind: 'call' }

export interface Conversation {
  readonly history: readonly Said[]
  /** Names of the tools the client offered; without one it wants a title or a summary, not work. Tools the vendor runs are left out. */
  readonly tools: readonly string[]
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
  const { history, tools } = conversation
  if (asksForSummary(conversation)) return { text: summaryOf(conversation) }
  const place = planPlace(history)
  const given = history[place]
  const plan = given?.kind === 'user' ? planIn(given.text) : undefined
  if (tools.length === 0 || plan === undefined) return { text: 'A short title' }
  const call = plan[history.slice(place).filter(({ kind }) => kind === 'call').length]
  return call === undefined
    ? { text: closingWords }
    : { text: 'The next step.', call: { ...call, name: offeredName(tools, call.name), id } }
}

/** Where a dialect has functions only, the gateway offers other kinds of tools under names that say what they were. */
const kindOfTool = '_x3a_'

/** The name a tool is offered under; its own when it is not offered. */
function offeredName(tools: readonly string[], name: string): string {
  return tools.includes(name) ? name : (tools.find((offered) => offered.endsWith(kindOfTool + name)) ?? name)
}

/** The client's own name of an offered tool. */
export function clientsName(offered: string): string {
  return offered.split(kindOfTool).at(-1) ?? offered
}

/** Whether the newest thing a user says asks for a summary of the conversation. */
export function asksForSummary({ history }: Conversation): boolean {
  const asked = history.at(-1)
  return asked?.kind === 'user' && planIn(asked.text) === undefined && /<summary>|<state_snapshot>/.test(asked.text)
}

// Word for word, as summaries of what was read often are; in the form each client takes a summary from.
function summaryOf(conversation: Conversation): string {
  const words = `The person asked for a file to be read. It says: ${resultsOf(conversation).join('\n')}`
  const tag = conversation.history.some((said) => said.kind === 'user' && said.text.includes('<state_snapshot>'))
    ? 'state_snapshot'
    : 'summary'
  return `<analysis>All of it was read.</analysis>\n<${tag}>\n${words}\n</${tag}>`
}

function planPlace(history: readonly Said[]): number {
  return history.findLastIndex((said) => said.kind === 'user' && planIn(said.text) !== undefined)
}
