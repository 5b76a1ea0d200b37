/**
 * Whether a tool failed: a dialect without a field for it says so in the text, with a fixed prefix that is read back.
 */
import type { HubPart } from './conversation.ts'

/** Starts the text of a failed tool's result. */
export const toolErrorPrefix = '[tool error] '

/** How the gateway begins what it tells a model in place of a refused call; it says by itself that nothing ran. */
const refusalStart = 'not run: '

/** The text of a failed tool's result. */
export function withToolError(text: string): string {
  return text.startsWith(refusalStart) ? text : `${toolErrorPrefix}${text}`
}

/** The content of a result without the prefix, and whether it had one. */
export function readToolError(content: readonly HubPart[]): { readonly content: readonly HubPart[]; readonly isError: boolean } {
  const [first, ...rest] = content
  if (first?.kind !== 'text') return { content, isError: false }
  const isBare = first.text.trimEnd() === toolErrorPrefix.trimEnd()
  if (!isBare && !first.text.startsWith(toolErrorPrefix)) return { content, isError: false }
  const text = isBare ? '' : first.text.slice(toolErrorPrefix.length)
  return { content: text.trim() === '' ? rest : [{ ...first, text }, ...rest], isError: true }
}
