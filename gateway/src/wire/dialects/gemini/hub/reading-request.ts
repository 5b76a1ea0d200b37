/** A Gemini request in the neutral form. Fields that change what the answer means and nobody else has are demands. */
import type { JsonObject, JsonValue } from '../../../../core/json.ts'
import type { HubDemand, HubFormat, HubRequest } from '../../../hub/conversation.ts'
import { countOf, given, objectOf, stringOf, tag } from '../../../hub/loose-fields.ts'
import type { HubLogprobs } from '../../../hub/logprobs.ts'
import { invalid, isAbsent, optionalNumber, requireName } from '../../../request/fields.ts'
import { settleSpelling } from '../spelling.ts'
import { readMessages } from './reading-messages.ts'
import { jsonSchemaOf } from './schemas.ts'
import { readChoice, readTools } from './tools.ts'

/** Fields that change what the answer means, and values that mean the same as leaving them out. */
export const demandingFields: Readonly<Record<string, (value: JsonValue) => boolean>> = {
  cachedContent: () => false,
  'generationConfig.responseModalities': (value) => Array.isArray(value) && value.every((one) => one === 'TEXT'),
  'generationConfig.speechConfig': () => false,
  'generationConfig.imageConfig': () => false,
}

/** Brings the body into one spelling; else the original is not changed. Throws `request.invalid`. */
export function readRequest(body: JsonObject): HubRequest {
  settleSpelling(body)
  const config = objectOf(body.generationConfig) ?? {}
  const demands: HubDemand[] = []
  for (const [field, isHarmless] of Object.entries(demandingFields)) {
    const [first = '', second] = field.split('.')
    const value = second === undefined ? given(body, first) : given(config, second)
    if (value !== undefined && !isHarmless(value)) demands.push({ family: 'google', field, value })
  }
  const number = (key: string): number | undefined => optionalNumber(asNumber(config[key]), `generationConfig.${key}`)
  return {
    model: requireName(body.model, 'model'),
    messages: readMessages(body),
    tools: readTools(body),
    choice: readChoice(body),
    parallelCalls: undefined,
    maxTokens: countOf(number('maxOutputTokens')),
    temperature: number('temperature'),
    topP: number('topP'),
    topK: number('topK'),
    stop: { at: 'generationConfig.stopSequences', sequences: readStops(config) },
    stream: typeof body.stream === 'boolean' ? body.stream : undefined,
    wantsUsage: true,
    user: undefined,
    format: readFormat(config),
    effort: readEffort(objectOf(config.thinkingConfig)),
    logprobs: readAskedLogprobs(config.responseLogprobs === true, countOf(number('logprobs')) ?? 0),
    demands,
    extras: { google: hintsOf(body, config), openai: sharedHints(config) },
  }
}

/** Fields that have a place of their own in the neutral form, and those that say nothing there. */
const read: ReadonlySet<string> = new Set([
  'model',
  'stream',
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'generationConfig',
  ...['maxOutputTokens', 'temperature', 'topP', 'topK', 'stopSequences', 'candidateCount', 'thinkingConfig'].map(inConfig),
  ...['responseMimeType', 'responseSchema', 'responseJsonSchema', 'responseLogprobs', 'logprobs'].map(inConfig),
  ...['seed', 'presencePenalty', 'frequencyPenalty'].map(inConfig),
  ...Object.keys(demandingFields),
])

function inConfig(name: string): string {
  return `generationConfig.${name}`
}

/** Hints that nobody else has a word for. */
function hintsOf(body: JsonObject, config: JsonObject): JsonObject {
  const { functionCallingConfig: _choice, ...toolConfig } = objectOf(body.toolConfig) ?? {}
  const all = [
    ...Object.entries(body),
    ...Object.entries(config).map(([name, value]) => [inConfig(name), value] as const),
    ...Object.entries(toolConfig).map(([name, value]) => [`toolConfig.${name}`, value] as const),
  ]
  return Object.fromEntries(all.filter(([name]) => !read.has(name)))
}

/** Hints that OpenAI's dialect has too. */
function sharedHints({ seed, presencePenalty, frequencyPenalty }: JsonObject): JsonObject {
  const hints = { seed, presence_penalty: presencePenalty, frequency_penalty: frequencyPenalty }
  return Object.fromEntries(Object.entries(hints).flatMap(([name, value]) => (isAbsent(value) ? [] : [[name, value]])))
}

/** Google reads numbers in text as well (ProtoJSON). */
function asNumber(value: JsonValue | undefined): JsonValue | undefined {
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value
}

function readAskedLogprobs(isAsked: boolean, top: number): HubLogprobs | undefined {
  if (isAsked) return { top, at: 'generationConfig.responseLogprobs' }
  return top > 0 ? { top, at: 'generationConfig.logprobs' } : undefined
}

function readStops(config: JsonObject): string[] {
  const stops = given(config, 'stopSequences')
  if (stops === undefined) return []
  const at = 'generationConfig.stopSequences'
  if (!Array.isArray(stops) || !stops.every((stop) => typeof stop === 'string')) throw invalid(at, 'it must be a list of strings')
  return stops
}

function readFormat(config: JsonObject): HubFormat | undefined {
  const type = stringOf(config.responseMimeType)
  const own = objectOf(config.responseSchema)
  const schema = objectOf(config.responseJsonSchema) ?? (own === undefined ? undefined : jsonSchemaOf(own))
  if (schema !== undefined) return { kind: 'json-schema', schema, name: undefined, strict: undefined }
  const at = 'generationConfig.responseMimeType'
  if (type === undefined || type === 'text/plain') return undefined
  // What OpenAI calls so.
  if (type === 'application/json') return { kind: 'native', family: 'openai', called: 'json_object', value: { type: 'json_object' }, at }
  return {
    kind: 'native',
    family: 'google',
    called: `answers of type ${tag(type.replace('/', '.'))}`,
    value: { responseMimeType: type },
    at,
  }
}

function readEffort(thinking: JsonObject | undefined): HubRequest['effort'] {
  const budget = countOf(asNumber(thinking?.thinkingBudget))
  const word = budget === 0 ? 'none' : stringOf(thinking?.thinkingLevel)?.toLowerCase()
  return { word, budget: budget === 0 ? undefined : budget, at: 'generationConfig.thinkingConfig' }
}
