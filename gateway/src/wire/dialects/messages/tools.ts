/** Which tools of a messages request the client runs, and what a tool is called. */
import type { JsonObject } from '../../../core/json.ts'
import { isAbsent } from '../../request/fields.ts'

/** Tools the vendor defines and the client runs; their types carry a date. */
const clientRunTypes = ['bash_', 'text_editor_', 'computer_', 'memory_']

/** False for tools the vendor runs inside the call: web search, code execution, and whatever is newer than this code. */
export function runsOnClient(tool: JsonObject): boolean {
  const { type } = tool
  if (isAbsent(type) || type === 'custom') return true
  return typeof type === 'string' && clientRunTypes.some((prefix) => type.startsWith(prefix))
}

/** The name of a tool; its type where it has none (`mcp_toolset`). Empty when it has neither. */
export function messagesToolName(tool: JsonObject): string {
  if (typeof tool.name === 'string') return tool.name
  return typeof tool.type === 'string' ? tool.type : ''
}
