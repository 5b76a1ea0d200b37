/** What the gateway says when tools are withheld or a call was refused. Made of configuration and names only; never of what was read. */
import type { Remedy } from '../../policy/types.ts'

const mostNamed = 12
const longestName = 64

/** Names as a list in words: `a, b and 3 more`. Only the characters that names of tools have. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, mostNamed).map((name) => `\`${name.replace(/[^\w.:/-]/g, '_').slice(0, longestName)}\``)
  return names.length <= mostNamed ? shown.join(', ') : `${shown.join(', ')} and ${names.length - mostNamed} more`
}

export interface Withheld {
  readonly tools: readonly string[]
  /** What narrowed the session, newest last. */
  readonly narrowedBy: readonly string[]
  readonly trust: string
  readonly remedies: readonly Remedy[]
}

/** For the model: what is withheld, because of what, and what would help. */
export function noteForModel({ tools, narrowedBy, trust, remedies }: Withheld): string {
  const because = `this conversation has read ${listed(narrowedBy)} and is now of trust \`${trust}\``
  const help =
    remedies.length === 0
      ? 'Do not call them; use the tools that are left, or tell the user what you could not do.'
      : `What would help: ${remedies.map(({ detail }) => detail).join('; or ')}.`
  return noticeForModel(
    `The gateway withholds these tools from here on: ${listed(tools)}. Reason: ${because}. This is a decision of policy, not an error; trying again will not change it. ${help}`,
  )
}

/** Words of the gateway in a conversation. */
export function noticeForModel(text: string): string {
  return `<gateway-notice>${text}</gateway-notice>`
}

/** For the person: one line. */
export function lineForWithheld({ tools, narrowedBy }: Pick<Withheld, 'tools' | 'narrowedBy'>): string {
  return `withheld ${listed(tools)} from here on, because this conversation has read ${listed(narrowedBy.slice(-3))}`
}

/** For the person: one line. */
export function lineForRefused(tool: string, reason: string): string {
  return `refused ${listed([tool])}: ${reason.replace(/\s+/g, ' ').slice(0, 300)}`
}

/** What is added to an answer. */
export function answerLine(lines: readonly string[], turn: string | null): string {
  return `[Turnward] ${lines.join(' · ')}${turn === null ? '' : ` (turnward turns show ${turn})`}`
}
