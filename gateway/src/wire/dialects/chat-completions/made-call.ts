/** A call without arguments as the history of a chat-completions request has it. */
import type { MadeCall, MadeCallOf } from '../../request/made-call.ts'

export function makeChatCall({ id, name }: MadeCallOf): MadeCall {
  const call = { id, type: 'function', function: { name, arguments: '{}' } }
  return { call, assistant: { role: 'assistant', content: null, tool_calls: [call] } }
}
