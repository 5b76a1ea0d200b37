/** A responses request in the neutral form. Fields of this dialect only are kept as extras; those that change what the answer means are demands. */
import type { JsonObject, JsonValue } from '../../../../core/json.ts'
import type { HubDemand, HubFormat, HubRequest } from '../../../hub/conversation.ts'
import { given, objectOf, othersOf, stringOf, tag } from '../../../hub/loose-fields.ts'
import type { HubLogprobs } from '../../../hub/logprobs.ts'
import { invalid, optionalCount, optionalNumber, requireName } from '../../../request/fields.ts'
import { readInput } from './reading-messages.ts'
import { readChoice, readTools } from './tools.ts'

/** Read into the neutral form. What is left (`store`, `include`, `truncation`, caching keys, …) are hints: dropped for another family. */
const known: ReadonlySet<string> = new Set([
  'model',
  'input',
  'instructions',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'max_output_tokens',
  'temperature',
  'top_p',
  'stream',
  'stream_options',
  'user',
  'safety_identifier',
  'top_logprobs',
])

interface Demanding {
  readonly why?: string
  readonly fix?: string
  /** Values that mean the same as leaving the field out. */
  readonly harmless: (value: JsonValue) => boolean
}

/** Fields that change what the answer means. */
export const demandingFields: Readonly<Record<string, Demanding>> = {
  previous_response_id: { why: 'no other API keeps conversations', fix: 'Send the items in `input`.', harmless: () => false },
  conversation: { why: 'no other API keeps conversations', fix: 'Send the items in `input`.', harmless: () => false },
  prompt: { why: 'no other API keeps prompts', fix: 'Send the text itself.', harmless: () => false },
  background: { why: 'no other API answers later', harmless: (value) => value === false },
  moderation: { harmless: () => false },
}

/** The original is not changed, but parts of it may be shared with the result. Throws `request.invalid` / `request.unsupported`. */
export function readRequest(body: JsonObject): HubRequest {
  const demands: HubDemand[] = []
  for (const [field, { why, fix, harmless }] of Object.entries(demandingFields)) {
    const value = given(body, field)
    if (value !== undefined && !harmless(value)) demands.push({ family: 'responses', field, value, why, fix })
  }
  return {
    model: requireName(body.model, 'model'),
    messages: readInput(body),
    tools: readTools(body),
    choice: readChoice(body),
    parallelCalls: typeof body.parallel_tool_calls === 'boolean' ? body.parallel_tool_calls : undefined,
    maxTokens: optionalCount(body.max_output_tokens, 'max_output_tokens'),
    temperature: optionalNumber(body.temperature, 'temperature'),
    topP: optionalNumber(body.top_p, 'top_p'),
    topK: undefined,
    stop: { at: 'stop', sequences: [] },
    stream: typeof body.stream === 'boolean' ? body.stream : undefined,
    wantsUsage: true,
    user: stringOf(body.safety_identifier) ?? stringOf(body.user),
    format: readFormat(body),
    effort: { word: stringOf(objectOf(body.reasoning)?.effort), budget: undefined, at: 'reasoning.effort' },
    logprobs: readAskedLogprobs(body),
    demands,
    extras: { responses: hintsOf(body) },
  }
}

/** What `include` asks for beside the answer itself. */
const tokens = 'message.output_text.logprobs'

function readAskedLogprobs(body: JsonObject): HubLogprobs | undefined {
  const top = optionalCount(body.top_logprobs, 'top_logprobs') ?? 0
  if (top > 0) return { top, at: 'top_logprobs' }
  return Array.isArray(body.include) && body.include.includes(tokens) ? { top, at: 'include' } : undefined
}

function hintsOf(body: JsonObject): JsonObject {
  const { include, ...hints } = othersOf(body, known)
  const others = Array.isArray(include) ? include.filter((one) => one !== tokens) : []
  return others.length === 0 ? hints : { ...hints, include: others }
}

function readFormat(body: JsonObject): HubFormat | undefined {
  const format = objectOf(objectOf(body.text)?.format)
  if (format === undefined || format.type === 'text') return undefined
  // One that OpenAI words alike in chat-completions.
  if (format.type === 'json_object') return { kind: 'native', family: 'openai', called: 'json_object', value: format, at: 'text.format' }
  if (format.type !== 'json_schema')
    return { kind: 'native', family: 'responses', called: `a format like ${tag(format.type)}`, value: format, at: 'text.format' }
  const schema = objectOf(format.schema)
  if (schema === undefined) throw invalid('text.format.schema', 'it must be an object')
  return { kind: 'json-schema', schema, name: stringOf(format.name), strict: given(format, 'strict') }
}
