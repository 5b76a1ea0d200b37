/** A Gemini request from the neutral form. What changes meaning and cannot be expressed is refused by name, never dropped. */
import type { JsonObject } from '../../../../core/json.ts'
import { requireAnsweredCalls } from '../../../hub/answered-calls.ts'
import type { HubFormat, HubRequest } from '../../../hub/conversation.ts'
import type { RequestOptions } from '../../../hub/dialect-hub.ts'
import { geminiVersion } from '../../../hub/model-families.ts'
import { unsupported } from '../../../request/fields.ts'
import { writeTools } from './tools.ts'
import { writeConversation } from './writing-messages.ts'

/** Parts of the conversation may be shared with the result. Throws `request.invalid` / `request.unsupported` naming the field. */
export function writeRequest(request: HubRequest, options: RequestOptions): JsonObject {
  for (const { family, field, why, fix } of request.demands)
    if (family !== 'google') throw unsupported(field, why ?? 'the Gemini API has nothing like it', fix)
  requireAnsweredCalls(request.messages)
  const { system, contents } = writeConversation(request.messages, { model: request.model, upstream: options.upstream })
  const config = writeConfig(request)
  return {
    model: request.model,
    ...(request.stream === undefined ? {} : { stream: request.stream }),
    ...(system.length === 0 ? {} : { systemInstruction: { parts: system } }),
    contents,
    ...writeTools(request),
    ...(Object.keys(config).length === 0 ? {} : { generationConfig: config }),
  }
}

function writeConfig(request: HubRequest): JsonObject {
  const { maxTokens, temperature, topP, topK, stop, format, logprobs } = request
  const stops = stop.sequences.filter((sequence) => sequence !== '')
  if (maxTokens === 0)
    throw unsupported('max_tokens', 'the Gemini API cannot fill a cache without answering', 'Ask for at least one token.')
  return {
    ...(maxTokens === undefined ? {} : { maxOutputTokens: maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(topK === undefined ? {} : { topK }),
    ...(stops.length === 0 ? {} : { stopSequences: stops }),
    ...(format === undefined ? {} : writeFormat(format)),
    ...(logprobs === undefined ? {} : { responseLogprobs: true, ...(logprobs.top > 0 ? { logprobs: logprobs.top } : {}) }),
    ...writeThinking(request),
    ...sharedHints(request.extras.openai),
  }
}

/** Hints that OpenAI's dialect has too. */
function sharedHints({ seed, presence_penalty: presencePenalty, frequency_penalty: frequencyPenalty }: JsonObject = {}): JsonObject {
  const hints = { seed, presencePenalty, frequencyPenalty }
  return Object.fromEntries(Object.entries(hints).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}

function writeFormat(format: HubFormat): JsonObject {
  if (format.kind === 'json-schema') return { responseMimeType: 'application/json', responseJsonSchema: format.schema }
  if (format.family === 'google') return format.value
  if (format.value.type === 'json_object') return { responseMimeType: 'application/json' }
  throw unsupported(format.at, `the Gemini API has no form for it: ${format.called}`)
}

const budgets: Readonly<Record<string, number>> = { minimal: 1024, low: 2048, medium: 8192, high: 24576, xhigh: 24576, max: 24576 }

/** A hint, for the models that are known to take it: a budget for 2.5, a level for those after it. */
function writeThinking({ model, effort: { word, budget } }: HubRequest): JsonObject {
  const version = geminiVersion(model)
  const tokens = budget ?? (word !== undefined && Object.hasOwn(budgets, word) ? budgets[word] : undefined)
  if (tokens === undefined || version < 25) return {}
  const shown = budget === undefined ? {} : { includeThoughts: true }
  if (version < 30) return { thinkingConfig: { thinkingBudget: Math.min(tokens, 24576), ...shown } }
  return { thinkingConfig: { thinkingLevel: tokens <= 4096 ? 'low' : 'high', ...shown } }
}
