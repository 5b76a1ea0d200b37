/** The items of a responses request from the neutral form. */
import { sha256 } from '../../../../core/hash.ts'
import { asText, type JsonObject } from '../../../../core/json.ts'
import { argumentsText } from '../../../hub/call-arguments.ts'
import type { HubMessage, HubPart, HubResult } from '../../../hub/conversation.ts'
import { withToolError } from '../../../hub/tool-errors.ts'
import { unsupported } from '../../../request/fields.ts'
import { textPart, writeMedia } from './media.ts'
import { reasoningOfState } from './sealed.ts'
import { responsesName } from './tools.ts'

/** Throws `request.unsupported` naming the part that has no form here. `upstream`: the tag of the one it goes to. */
export function writeInput(messages: readonly HubMessage[], upstream: string | undefined): JsonObject[] {
  return messages.flatMap(({ role, parts }) => {
    if (role === 'assistant') return parts.flatMap((part) => assistantItem(part, upstream))
    const results = parts.flatMap((part) => (part.kind === 'result' ? [resultItem(part)] : []))
    const own = parts.flatMap((part) => (part.kind === 'result' ? [] : contentPart(part)))
    if (own.length === 0 && results.length > 0) return results
    const [only] = own
    const content = own.length <= 1 && (only === undefined || only.type === 'input_text') ? (only?.text ?? '') : own
    return [...results, { type: 'message', role, content }]
  })
}

function assistantItem(part: HubPart, upstream: string | undefined): JsonObject[] {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [{ type: 'message', role: 'assistant', content: part.text }]
    case 'call':
      return [
        {
          type: 'function_call',
          call_id: callId(part.id),
          name: responsesName(part.name, part.at),
          arguments: argumentsText(part.args) || '{}',
        },
      ]
    case 'state': {
      const item = reasoningOfState(part, upstream)
      return item === undefined ? [] : [item]
    }
    case 'reasoning':
    case 'sealed':
      // Other vendors' reasoning means nothing here.
      return []
    default:
      throw noCounterpart(part)
  }
}

const maxCallId = 64

/** The same id every time, as long as the vendor takes it. */
function callId(id: string): string {
  return id.length > maxCallId ? `call_${sha256(id).slice(0, 32)}` : id
}

function resultItem(result: HubResult): JsonObject {
  const content = result.content.flatMap(contentPart)
  const isText = content.every((part) => part.type === 'input_text')
  const text = content.map((part) => asText(part.text)).join('\n')
  if (isText) return { type: 'function_call_output', call_id: callId(result.callId), output: result.isError ? withToolError(text) : text }
  const output = result.isError ? [textPart(withToolError('')), ...content] : content
  return { type: 'function_call_output', call_id: callId(result.callId), output }
}

function contentPart(part: HubPart): JsonObject[] {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return [textPart(part.text)]
    case 'media':
      return writeMedia(part)
    case 'native':
      if (part.text !== undefined) return [textPart(part.text)]
      throw noCounterpart(part)
    case 'call':
    case 'result':
      throw noCounterpart(part)
    default:
      return []
  }
}

function noCounterpart(part: HubPart): Error {
  const at = 'at' in part ? part.at : 'input'
  const called = part.kind === 'native' ? part.called : `a part of type ${part.kind}`
  return unsupported(at, `${called} has no counterpart in responses here`)
}
