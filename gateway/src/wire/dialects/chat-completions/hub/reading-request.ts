/** A chat-completions request in the neutral form. Fields of this dialect only are kept as extras; those that change what the answer means are demands. */
import type { JsonObject, JsonValue } from '../../../../core/json.ts'
import { given, objectOf, othersOf, stringOf, tag } from '../../../hub/loose-fields.ts'
import type { HubDemand, HubFormat, HubRequest } from '../../../hub/conversation.ts'
import type { HubLogprobs } from '../../../hub/logprobs.ts'
import { invalid, optionalCount, optionalNumber, requireName } from '../../../request/fields.ts'
import { readMessages } from './reading-messages.ts'
import { readChoice, readTools } from './tools.ts'

/** Read into the neutral form. What is left (seed, penalties, `store`, caching keys, …) are hints: dropped for another family. */
const known: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'stop',
  'stream',
  'user',
  'response_format',
  'reasoning_effort',
  'thinking',
  'logprobs',
  'top_logprobs',
])

interface Demanding {
  readonly why?: string
  readonly fix?: string
  /** Values that mean the same as leaving the field out. */
  readonly harmless: (value: JsonValue) => boolean
}

const never = (): boolean => false
const isEmpty = (value: JsonValue): boolean => typeof value === 'object' && value !== null && Object.keys(value).length === 0

/** Fields that change what the answer means. */
export const demandingFields: Readonly<Record<string, Demanding>> = {
  n: { why: 'it gives one choice', fix: 'Leave out `n` and send the request several times.', harmless: (value) => value === 1 },
  logit_bias: { harmless: isEmpty },
  audio: { why: 'it gives no audio', harmless: never },
  modalities: { why: 'it gives text only', harmless: (value) => Array.isArray(value) && value.every((item) => item === 'text') },
  web_search_options: { fix: 'Offer a search tool instead.', harmless: never },
  moderation: { harmless: never },
  functions: { why: 'it is deprecated', fix: 'Use `tools`.', harmless: isEmpty },
  function_call: { why: 'it is deprecated', fix: 'Use `tool_choice`.', harmless: never },
}

/** The original is not changed, but parts of it may be shared with the result. Throws `request.invalid` / `request.unsupported`. */
export function readRequest(body: JsonObject): HubRequest {
  const demands: HubDemand[] = []
  for (const [field, { why, fix, harmless }] of Object.entries(demandingFields)) {
    const value = given(body, field)
    if (value !== undefined && !harmless(value)) demands.push({ family: 'openai', field, value, why, fix })
  }
  const thinking = given(body, 'thinking')
  return {
    model: requireName(body.model, 'model'),
    messages: readMessages(body.messages, demands),
    tools: readTools(body),
    choice: readChoice(body),
    parallelCalls: typeof body.parallel_tool_calls === 'boolean' ? body.parallel_tool_calls : undefined,
    maxTokens: optionalCount(body.max_completion_tokens, 'max_completion_tokens') ?? optionalCount(body.max_tokens, 'max_tokens'),
    temperature: optionalNumber(body.temperature, 'temperature'),
    topP: optionalNumber(body.top_p, 'top_p'),
    topK: optionalNumber(body.top_k, 'top_k'),
    stop: { at: 'stop', sequences: readStops(body) },
    stream: typeof body.stream === 'boolean' ? body.stream : undefined,
    wantsUsage: objectOf(body.stream_options)?.include_usage === true,
    user: stringOf(body.user) ?? stringOf(body.safety_identifier),
    format: readFormat(body),
    effort: { word: stringOf(body.reasoning_effort), budget: undefined },
    logprobs: readAskedLogprobs(body),
    demands,
    // Clients of LiteLLM send `thinking` itself; it is more exact than an effort.
    extras: { openai: othersOf(body, known), ...(thinking === undefined ? {} : { anthropic: { thinking } }) },
  }
}

function readAskedLogprobs(body: JsonObject): HubLogprobs | undefined {
  const top = optionalCount(body.top_logprobs, 'top_logprobs') ?? 0
  if (body.logprobs === true) return { top, at: 'logprobs' }
  return top > 0 ? { top, at: 'top_logprobs' } : undefined
}

function readStops(body: JsonObject): string[] {
  const stop = given(body, 'stop')
  if (stop === undefined) return []
  const stops = Array.isArray(stop) ? stop : [stop]
  return stops.map((item, index) => {
    if (typeof item !== 'string') throw invalid(Array.isArray(stop) ? `stop[${index}]` : 'stop', 'it must be a string')
    return item
  })
}

function readFormat(body: JsonObject): HubFormat | undefined {
  const format = objectOf(body.response_format)
  if (format === undefined || format.type === 'text') return undefined
  if (format.type !== 'json_schema')
    return { kind: 'native', family: 'openai', called: `a format like ${tag(format.type)}`, value: format, at: 'response_format' }
  const named = objectOf(format.json_schema)
  const schema = objectOf(named?.schema)
  if (schema === undefined) throw invalid('response_format.json_schema.schema', 'it must be an object')
  return { kind: 'json-schema', schema, name: stringOf(named?.name), strict: given(named ?? {}, 'strict') }
}
