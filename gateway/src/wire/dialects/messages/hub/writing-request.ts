/** A messages request from the neutral form. What changes meaning and cannot be expressed is refused by name, never dropped. */
import type { JsonObject } from '../../../../core/json.ts'
import { requireAnsweredCalls } from '../../../hub/answered-calls.ts'
import type { HubFormat, HubRequest } from '../../../hub/conversation.ts'
import type { RequestOptions } from '../../../hub/dialect-hub.ts'
import { objectOf } from '../../../hub/loose-fields.ts'
import { acceptedSampling } from '../../../hub/sampling.ts'
import { acceptedUser } from '../../../hub/user-ids.ts'
import { unsupported } from '../../../request/fields.ts'
import { addThinking } from './thinking.ts'
import { writeTools } from './tools.ts'
import { writeConversation } from './writing-messages.ts'

/** `max_tokens` for requests without one, when the caller names no default: every current Claude model allows it. */
const fallbackMaxTokens = 8192

/** Anthropic refuses a longer `user_id`. */
const maxUser = 256

/** Parts of the conversation may be shared with the result. Throws `request.invalid` / `request.unsupported` naming the field. */
export function writeRequest(request: HubRequest, options: RequestOptions): JsonObject {
  for (const { family, field, why, fix } of request.demands)
    if (family !== 'anthropic') throw unsupported(field, why ?? 'the messages API has nothing like it', fix)
  if (request.logprobs !== undefined) throw unsupported(request.logprobs.at, 'the messages API tells nothing of tokens')
  requireAnsweredCalls(request.messages)
  const { system, messages, calledTools } = writeConversation(request.messages)
  const { model, stream, user, format } = request
  const extras = request.extras.anthropic
  const written: JsonObject = { ...extras, model, max_tokens: request.maxTokens ?? options.defaultMaxTokens ?? fallbackMaxTokens }
  if (system.length > 0) written.system = systemField(system)
  written.messages = messages
  Object.assign(written, writeTools(request, calledTools), writeSampling(request))
  if (stream !== undefined) written.stream = stream
  if (user !== undefined) written.metadata = { user_id: acceptedUser(user, maxUser) }
  if (format !== undefined) written.output_config = { ...objectOf(written.output_config), format: writeFormat(format) }
  if (extras?.thinking === undefined && extras?.output_config === undefined) addThinking(written, request.effort.word)
  return written
}

function systemField(blocks: JsonObject[]): string | JsonObject[] {
  const only = blocks.length === 1 ? blocks[0] : undefined
  return only !== undefined && Object.keys(only).length === 2 && typeof only.text === 'string' ? only.text : blocks
}

function writeSampling(request: HubRequest): JsonObject {
  const { stop } = request
  const { temperature, topP, topK } = acceptedSampling(request)
  const written: JsonObject = {}
  // The scale ends at 1 in the messages API, at 2 in chat-completions.
  if (temperature !== undefined) written.temperature = Math.min(1, temperature)
  if (topP !== undefined) written.top_p = topP
  if (topK !== undefined) written.top_k = topK
  const sequences = stop.sequences.filter((sequence) => sequence !== '')
  // A stop that is left out would change the answer.
  if (sequences.some((sequence) => sequence.trim() === ''))
    throw unsupported(stop.at, 'the messages API refuses a stop sequence of white space only', 'Stop at something that can be seen.')
  if (sequences.length > 0) written.stop_sequences = sequences
  return written
}

function writeFormat(format: HubFormat): JsonObject {
  if (format.kind === 'json-schema') return { type: 'json_schema', schema: format.schema }
  if (format.family === 'anthropic') return format.value
  throw unsupported(format.at, `the messages API has no form for it: ${format.called}`, 'Use `json_schema` with a schema.')
}
