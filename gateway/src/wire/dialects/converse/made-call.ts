/** A call without arguments as the history of a Converse request has it. */
import { isObject, type JsonObject } from '../../../core/json.ts'
import type { MadeCall, MadeCallOf } from '../../request/made-call.ts'
import { noTool } from './tools.ts'

export function makeConverseCall({ id, name }: MadeCallOf): MadeCall {
  const call = { toolUse: { toolUseId: id, name, input: {} } }
  return { call, assistant: { role: 'assistant', content: [call] } }
}

/** The vendor refuses a history with calls beside which no tool is defined at all. */
export function defineConverseCalls(body: JsonObject): void {
  const config = body.toolConfig
  if (!isObject(config) || !Array.isArray(config.tools) || config.tools.length === 0) body.toolConfig = { tools: [noTool] }
}
