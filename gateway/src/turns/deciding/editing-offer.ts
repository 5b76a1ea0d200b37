/** Changes what tools a request offers. Only the fields that change are written anew: the long history is not. */
import type { JsonObject } from '../../core/json.ts'
import { hasTopLevel, setTopLevel } from '../../wire/request/splice-bytes.ts'
import type { ModelCall } from '../call.ts'

/** Fields of a request that the offer is in. */
const toolFields = ['tools', 'tool_choice', 'toolConfig', 'parallel_tool_calls', 'web_search_options'] as const

/** `edit` changes the fields it is given, and no message. */
export function editOffer(call: ModelCall, edit: (fields: JsonObject) => void): void {
  const before = toolFields.map((field) => call.body.fields[field])
  edit(call.body.fields)
  for (const [index, field] of toolFields.entries()) {
    const value = call.body.fields[field]
    if (value === before[index] || call.bytes === undefined) continue
    // One that the client spells otherwise stands elsewhere in its bytes.
    const isElsewhere = before[index] !== undefined && !hasTopLevel(call.bytes, field)
    call.bytes = value === undefined || isElsewhere ? undefined : setTopLevel(call.bytes, field, JSON.stringify(value))
  }
}
