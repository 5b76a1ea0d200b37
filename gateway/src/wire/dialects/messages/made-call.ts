/** A call without arguments as the history of a messages request has it. */
import type { JsonObject } from '../../../core/json.ts'
import type { MadeCall, MadeCallOf } from '../../request/made-call.ts'

export function makeMessagesCall({ id, name }: MadeCallOf): MadeCall {
  const call = { type: 'tool_use', id, name, input: {} }
  return { call, assistant: { role: 'assistant', content: [call] } }
}

/** The vendor wants what a history calls defined where nothing else is; that no tool is offered stays true through the choice. */
export function defineMessagesCalls(body: JsonObject, names: readonly string[]): void {
  if (Array.isArray(body.tools) && body.tools.length > 0) return
  body.tools = names.map((name) => ({ name, input_schema: { type: 'object' } }))
  body.tool_choice = { type: 'none' }
}
