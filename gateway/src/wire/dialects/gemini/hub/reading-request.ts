/** A Gemini request in the neutral form. Fields that change what the answer means and nobody else has are demands. */
import { asText, isObject, type JsonObject, type JsonValue } from '../../../../core/json.ts'
import type { HubDemand, HubFormat, HubMessage, HubPart, HubRequest } from '../../../hub/conversation.ts'
import { countOf, given, objectOf, stringOf, tag } from '../../../hub/loose-fields.ts'
import { invalid, isAbsent, optionalNumber, requireName, requireObject, requireObjects } from '../../../request/fields.ts'
import { idsOfParts, partsOf } from '../calls.ts'
import { settleSpelling } from '../spelling.ts'
import { ContentReader } from '../views.ts'
import { PartReader } from './parts.ts'
import { jsonSchemaOf } from './schemas.ts'
import { readChoice, readTools } from './tools.ts'

/** Fields that change what the answer means, and values that mean the same as leaving them out. */
export const demandingFields: Readonly<Record<string, (value: JsonValue) => boolean>> = {
  cachedContent: () => false,
  'generationConfig.responseModalities': (value) => Array.isArray(value) && value.every((one) => one === 'TEXT'),
  'generationConfig.responseLogprobs': (value) => value === false,
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
  const number = (key: string): number | undefined => optionalNumber(config[key], `generationConfig.${key}`)
  return {
    model: requireName(body.model, 'model'),
    messages: readMessages(body),
    tools: readTools(body),
    choice: readChoice(body),
    parallelCalls: undefined,
    maxTokens: countOf(config.maxOutputTokens),
    temperature: number('temperature'),
    topP: number('topP'),
    topK: number('topK'),
    stop: { at: 'generationConfig.stopSequences', sequences: readStops(config) },
    stream: typeof body.stream === 'boolean' ? body.stream : undefined,
    wantsUsage: true,
    user: undefined,
    format: readFormat(config),
    effort: readEffort(objectOf(config.thinkingConfig)),
    demands,
    extras: {},
  }
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
  if (type === undefined || type === 'text/plain') return undefined
  return {
    kind: 'native',
    family: 'google',
    called: `answers of type ${tag(type)}`,
    value: { responseMimeType: type },
    at: 'generationConfig.responseMimeType',
  }
}

function readEffort(thinking: JsonObject | undefined): HubRequest['effort'] {
  const budget = countOf(thinking?.thinkingBudget)
  return { word: budget === 0 ? 'none' : stringOf(thinking?.thinkingLevel)?.toLowerCase(), budget: budget === 0 ? undefined : budget }
}

function readMessages(body: JsonObject): HubMessage[] {
  const messages: HubMessage[] = []
  const system = body.systemInstruction
  if (!isAbsent(system)) {
    const texts =
      typeof system === 'string'
        ? [{ text: system }]
        : requireObjects(requireObject(system, 'systemInstruction').parts, 'systemInstruction.parts')
    const parts = texts.map((part, at): HubPart => {
      if (typeof part.text !== 'string') throw invalid(`systemInstruction.parts[${at}]`, 'it must be text')
      return { kind: 'text', text: part.text, at: `systemInstruction.parts[${at}]` }
    })
    messages.push({ role: 'system', parts, index: -1, at: 'systemInstruction' })
  }
  const names = new CallNames()
  const views = new ContentReader([])
  for (const [index, value] of requireObjects(body.contents, 'contents').entries()) {
    views.read(value, index)
    const at = `contents[${index}]`
    const parts = partsOf(value)
    if (value.role === 'model') {
      const calls = views.views.at(-1)?.calls ?? []
      const ids = names.begin(
        calls.map(({ id }) => id),
        idsOfParts(parts).size,
      )
      const reader = new PartReader({ idOf: () => ids.shift() ?? '', other: readOther, signatures: 'drop', upstream: undefined })
      const read = parts.flatMap((part, place) => reader.read(part, `${at}.parts[${place}]`))
      messages.push({ role: 'assistant', parts: [...read, ...reader.end()], index, at })
      continue
    }
    const results = [...(views.views.at(-1)?.results ?? [])]
    const read = parts.flatMap((part, place): HubPart[] => {
      const field = `${at}.parts[${place}]`
      if (isObject(part.functionResponse)) return [readResult(part.functionResponse, names.of(results.shift()?.callId ?? ''), field)]
      return typeof part.text === 'string' ? [{ kind: 'text', text: part.text, at: `${field}.text` }] : readOther(part, field)
    })
    messages.push({ role: 'user', parts: read, index, at })
  }
  return messages
}

/** Ids of one message may come again in another; here each call of the conversation has its own. */
class CallNames {
  readonly #used = new Set<string>()
  readonly #now = new Map<string, string>()

  /** The last `count` calls of a message with these ids. */
  begin(ids: readonly string[], count: number): string[] {
    return ids.slice(ids.length - count).map((id) => {
      let name = id
      for (let number = 1; this.#used.has(name); number += 1) name = `${id}_${number}`
      this.#used.add(name)
      this.#now.set(id, name)
      return name
    })
  }

  of(id: string): string {
    return this.#now.get(id) ?? id
  }
}

function readResult(result: JsonObject, callId: string, at: string): HubPart {
  const response = objectOf(result.response) ?? {}
  const keys = Object.keys(response)
  const [only] = keys
  const value = keys.length === 1 && only !== undefined && ['output', 'result', 'error'].includes(only) ? response[only] : response
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? null)
  const isError = !isAbsent(response.error)
  const media = requireObjects(result.parts ?? [], `${at}.functionResponse.parts`).flatMap((part) => readOther(part, at))
  return {
    kind: 'result',
    callId,
    content: [...(text === '' ? [] : [{ kind: 'text' as const, text, at }]), ...media],
    isError,
    at: `${at}.functionResponse`,
  }
}

/** Parts that are neither words nor calls. */
function readOther(part: JsonObject, at: string): HubPart[] {
  const inline = objectOf(part.inlineData)
  if (inline !== undefined) {
    const mediaType = asText(inline.mimeType)
    const source = { from: 'bytes' as const, mediaType, data: asText(inline.data) }
    if (mediaType.startsWith('image/')) return [{ kind: 'media', media: 'image', source, at: `${at}.inlineData` }]
    if (!/^(?:audio|video)\//.test(mediaType))
      return [{ kind: 'media', media: 'document', source, title: stringOf(inline.displayName), at: `${at}.inlineData` }]
  }
  const file = objectOf(part.fileData)
  if (file !== undefined && /^https?:/.test(asText(file.fileUri)) && asText(file.mimeType).startsWith('image/'))
    return [{ kind: 'media', media: 'image', source: { from: 'url', url: asText(file.fileUri) }, at: `${at}.fileData` }]
  return [{ kind: 'native', family: 'google', called: `a part with ${tag(Object.keys(part)[0])}`, value: part, isCall: false, at }]
}
