/** The suites of AgentDojo, and which of their tools do something to the world. */

export const suites = ['banking', 'slack', 'travel', 'workspace'] as const
export type Suite = (typeof suites)[number]

/** A call of a tool by the name its own server gives it. */
export interface Call {
  readonly tool: string
  readonly args: Readonly<Record<string, unknown>>
}

const readingVerbs = /^(?:get|search|list|read|check)_/
/** A page that is asked for learns the address it was asked under. */
const readsThatLeave: ReadonlySet<string> = new Set(['slack/get_webpage'])

/** Whether a call of this tool is a side effect. Not told from contracts: those are what is measured. */
export function isSideEffect(suite: Suite, tool: string): boolean {
  return !readingVerbs.test(tool) || readsThatLeave.has(`${suite}/${tool}`)
}
