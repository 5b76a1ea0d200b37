/**
 * The form the answer must have: `response_format` in chat-completions, `output_config.format` in messages.
 * Only a JSON schema exists in both; what cannot be promised by the target is refused.
 */
import type { JsonObject } from '../../core/json.ts'
import { invalid, unsupported } from '../request/fields.ts'
import { given, objectOf, tag } from './reading.ts'

/** `output_config.format` for a chat request; undefined when it asks for plain text. */
export function chatFormatToMessages(body: JsonObject): JsonObject | undefined {
  const format = objectOf(body.response_format)
  if (format === undefined || format.type === 'text') return undefined
  if (format.type !== 'json_schema') {
    throw unsupported('response_format', `the messages API has no format like ${tag(format.type)}`, 'Use `json_schema` with a schema.')
  }
  const schema = objectOf(objectOf(format.json_schema)?.schema)
  if (schema === undefined) throw invalid('response_format.json_schema.schema', 'it must be an object')
  return { type: 'json_schema', schema }
}

/** `response_format` for a messages request; undefined when it asks for plain text. `output_format` is the field's earlier place. */
export function messagesFormatToChat(body: JsonObject): JsonObject | undefined {
  const format = objectOf(given(objectOf(body.output_config) ?? {}, 'format')) ?? objectOf(body.output_format)
  if (format === undefined) return undefined
  if (format.type !== 'json_schema') throw unsupported('output_config.format', `chat-completions has no format like ${tag(format.type)}`)
  const schema = objectOf(format.schema)
  if (schema === undefined) throw invalid('output_config.format.schema', 'it must be an object')
  return { type: 'json_schema', json_schema: { name: 'response', schema, strict: true } }
}
