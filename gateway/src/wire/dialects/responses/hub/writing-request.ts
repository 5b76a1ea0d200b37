/** A responses request from the neutral form. What changes meaning and cannot be expressed is refused by name, never dropped. */
import type { JsonObject } from '../../../../core/json.ts'
import { requireAnsweredCalls } from '../../../hub/answered-calls.ts'
import type { HubEffort, HubFormat, HubRequest } from '../../../hub/conversation.ts'
import type { RequestOptions } from '../../../hub/dialect-hub.ts'
import { isOpenAiModel, refusesReasoningEffort, refusesSampling } from '../../../hub/model-families.ts'
import { openAiHints } from '../../../hub/openai-hints.ts'
import { acceptedSampling } from '../../../hub/sampling.ts'
import { acceptedUser } from '../../../hub/user-ids.ts'
import { unsupported } from '../../../request/fields.ts'
import { writeTools } from './tools.ts'
import { writeInput } from './writing-messages.ts'

/** OpenAI refuses a longer identifier. */
const maxUser = 64
/** OpenAI refuses fewer tokens. */
const fewestTokens = 16

/** Parts of the conversation may be shared with the result. Throws `request.invalid` / `request.unsupported` naming the field. */
export function writeRequest(request: HubRequest, options: RequestOptions): JsonObject {
  for (const { family, field, why, fix } of request.demands)
    if (family !== 'responses') throw unsupported(field, why ?? 'responses has nothing like it', fix)
  requireAnsweredCalls(request.messages)
  const { model, user, stream, stop, maxTokens } = request
  if (stop.sequences.length > 0) throw unsupported(stop.at, 'responses has no stop sequences', 'Leave them out.')
  const hints = request.extras.openai ?? {}
  // The conversation is the client's: its dialect keeps nothing with the vendor, unless it asked for that.
  const written: JsonObject = { model, store: hints.store === true }
  for (const hint of openAiHints) if (hints[hint] !== undefined) written[hint] = hints[hint]
  written.input = writeInput(request.messages, options.upstream)
  if (maxTokens === 0) throw unsupported('max_tokens', 'responses cannot fill a cache without answering', 'Ask for at least one token.')
  if (maxTokens !== undefined) written.max_output_tokens = Math.max(fewestTokens, maxTokens)
  const { temperature, topP } = acceptedSampling(request)
  if (temperature !== undefined) written.temperature = temperature
  if (topP !== undefined) written.top_p = topP
  Object.assign(written, writeTools(request))
  if (stream !== undefined) written.stream = stream
  if (user !== undefined) written.safety_identifier = acceptedUser(user, maxUser)
  const text = {
    ...(request.format === undefined ? {} : { format: writeFormat(request.format) }),
    ...(hints.verbosity === undefined ? {} : { verbosity: hints.verbosity }),
  }
  if (Object.keys(text).length > 0) written.text = text
  const effort = effortWord(request.effort, model)
  if (effort !== undefined) written.reasoning = { effort }
  const { logprobs } = request
  const include = [
    // What is not stored must come back to be thought on from.
    ...(written.store !== true && isOpenAiModel(model) && refusesSampling(model) ? ['reasoning.encrypted_content'] : []),
    ...(logprobs === undefined ? [] : ['message.output_text.logprobs']),
  ]
  if (include.length > 0) written.include = include
  if (logprobs !== undefined && logprobs.top > 0) written.top_logprobs = logprobs.top
  return written
}

function writeFormat(format: HubFormat): JsonObject {
  if (format.kind === 'json-schema') {
    const { name, schema, strict } = format
    return { type: 'json_schema', name: name ?? 'response', schema, strict: strict ?? true }
  }
  if (format.family === 'responses' || format.value.type === 'json_object') return format.value
  throw unsupported(format.at, `responses has no format like ${format.called}`)
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
