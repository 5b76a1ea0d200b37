/** A call without arguments as the input of a responses request has it. */
import type { MadeCall, MadeCallOf } from '../../request/made-call.ts'
import { assistantOf } from './answer.ts'

export function makeResponsesCall({ id, name }: MadeCallOf): MadeCall {
  const call = { type: 'function_call', call_id: id, name, arguments: '{}' }
  return { call, assistant: assistantOf([call]) }
}
