/** A chat-completions request from the neutral form. What changes meaning and cannot be expressed is refused by name, never dropped. */
import type { JsonObject } from '../../../../core/json.ts'
import { requireAnsweredCalls } from '../../../hub/answered-calls.ts'
import type { HubEffort, HubFormat, HubRequest } from '../../../hub/conversation.ts'
import type { RequestOptions } from '../../../hub/dialect-hub.ts'
import { objectOf } from '../../../hub/loose-fields.ts'
import { isOpenAiModel, refusesReasoningEffort } from '../../../hub/model-families.ts'
import { openAiHints } from '../../../hub/openai-hints.ts'
import { acceptedSampling } from '../../../hub/sampling.ts'
import { acceptedUser } from '../../../hub/user-ids.ts'
import { unsupported } from '../../../request/fields.ts'
import { writeTools } from './tools.ts'
import { writeMessages } from './writing-messages.ts'

/** OpenAI refuses a longer `user`. */
const maxUser = 64
/** OpenAI refuses more stops. */
const maxStops = 4

/** Parts of the conversation may be shared with the result. Throws `request.invalid` / `request.unsupported` naming the field. */
export function writeRequest(request: HubRequest, options: RequestOptions): JsonObject {
  for (const { family, field, why, fix } of request.demands)
    if (family !== 'openai') throw unsupported(field, why ?? 'the chat-completions API has nothing like it', fix)
  requireAnsweredCalls(request.messages)
  const { model, user, stream } = request
  const written: JsonObject = { ...request.extras.openai, ...sharedHints(request.extras.responses), model }
  written.messages = writeMessages(request.messages, { model, upstream: options.upstream })
  // OpenAI's newer models refuse `max_tokens`; other servers often know nothing else.
  const maxTokens = maxTokensOf(request)
  if (maxTokens !== undefined) written[isOpenAiModel(model) ? 'max_completion_tokens' : 'max_tokens'] = maxTokens
  Object.assign(written, writeTools(request), writeSampling(request))
  if (stream !== undefined) written.stream = stream
  if (stream === true && request.wantsUsage) written.stream_options = { include_usage: true }
  if (user !== undefined) written.user = acceptedUser(user, maxUser)
  if (request.format !== undefined) written.response_format = writeFormat(request.format)
  const effort = effortWord(request.effort, model)
  if (effort !== undefined) written.reasoning_effort = effort
  const { logprobs } = request
  if (logprobs !== undefined) Object.assign(written, { logprobs: true, ...(logprobs.top > 0 ? { top_logprobs: logprobs.top } : {}) })
  return written
}

/** Hints that OpenAI's other dialect words alike, and one that it keeps elsewhere. */
function sharedHints(hints: JsonObject = {}): JsonObject {
  const verbosity = objectOf(hints.text)?.verbosity
  const shared = openAiHints.flatMap((name) => (hints[name] === undefined ? [] : [[name, hints[name]] as const]))
  return { ...Object.fromEntries(shared), ...(verbosity === undefined ? {} : { verbosity }) }
}

function maxTokensOf({ maxTokens }: HubRequest): number | undefined {
  if (maxTokens !== 0) return maxTokens
  throw unsupported('max_tokens', 'chat-completions cannot fill a cache without answering', 'Ask for at least one token.')
}

function writeSampling(request: HubRequest): JsonObject {
  const { model, stop } = request
  const { temperature, topP } = acceptedSampling(request)
  const written: JsonObject = {}
  if (temperature !== undefined) written.temperature = temperature
  if (topP !== undefined) written.top_p = topP
  const { at, sequences } = stop
  if (sequences.length > maxStops && isOpenAiModel(model))
    throw unsupported(at, `this model's vendor takes at most ${maxStops} stop sequences`, 'Send fewer.')
  if (sequences.length > 0) written.stop = [...sequences]
  return written
}

function writeFormat(format: HubFormat): JsonObject {
  if (format.kind === 'json-schema') {
    const { name, schema, strict } = format
    return { type: 'json_schema', json_schema: { name: name ?? 'response', schema, strict: strict ?? true } }
  }
  if (format.family === 'openai') return format.value
  throw unsupported(format.at, `chat-completions has no format like ${format.called}`)
}

const words: Readonly<Record<string, string>> = {
  none: 'none',
  minimal: 'minimal',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'xhigh',
  max: 'xhigh',
}

/** An explicit effort, else the size of a thinking budget; a model that would refuse the field gets none. */
function effortWord({ word, budget }: HubEffort, model: string): string | undefined {
  if (refusesReasoningEffort(model)) return undefined
  if (word !== undefined && Object.hasOwn(words, word)) return words[word]
  if (budget === undefined) return undefined
  return budget <= 2048 ? 'low' : budget <= 8192 ? 'medium' : 'high'
}
