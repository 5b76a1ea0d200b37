/** Changes what tools a request offers. */
import type { JsonObject } from '../../core/json.ts'
import type { ModelCall } from '../call.ts'
import { editFields } from '../editing-fields.ts'

/** Fields of a request that the offer is in. */
const toolFields = ['tools', 'tool_choice', 'toolConfig', 'parallel_tool_calls', 'web_search_options']

/** `edit` changes the fields it is given, and no message. */
export function editOffer(call: ModelCall, edit: (fields: JsonObject) => void): void {
  editFields(call, toolFields, edit)
}
