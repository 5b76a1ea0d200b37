/**
 * Whether a tool failed: `is_error` in messages; chat-completions has no such field, so the text says it with a fixed
 * prefix, which is read back as `is_error`.
 */
import type { JsonObject } from '../../core/json.ts'

/** Starts the text of a failed tool's result in chat-completions. */
export const toolErrorPrefix = '[tool error] '

/** How the gateway begins what it tells a model in place of a refused call; it says by itself that nothing ran. */
const refusalStart = 'not run: '

/** The text of a failed tool's result as chat-completions carries it. */
export function withToolError(text: string): string {
  return text.startsWith(refusalStart) ? text : `${toolErrorPrefix}${text}`
}

/** The content of a tool message without the prefix, and whether it had one. */
export function readToolError(content: JsonObject[]): { content: JsonObject[]; isError: boolean } {
  const first = content[0]
  if (first?.type !== 'text' || typeof first.text !== 'string') return { content, isError: false }
  const bare = first.text.trimEnd() === toolErrorPrefix.trimEnd()
  if (!bare && !first.text.startsWith(toolErrorPrefix)) return { content, isError: false }
  const text = bare ? '' : first.text.slice(toolErrorPrefix.length)
  const rest = content.slice(1)
  return { content: text.trim() === '' ? rest : [{ ...first, text }, ...rest], isError: true }
}
