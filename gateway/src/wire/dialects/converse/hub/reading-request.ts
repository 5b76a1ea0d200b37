/** A Converse request in the neutral form. Fields of this dialect only are kept as extras; those that change what the answer means are demands. */
import type { JsonObject } from '../../../../core/json.ts'
import { parseJson } from '../../../../core/parse-json.ts'
import type { HubDemand, HubFormat, HubRequest } from '../../../hub/conversation.ts'
import { countOf, given, objectOf, othersOf, stringOf } from '../../../hub/loose-fields.ts'
import { invalid, optionalNumber, requireName } from '../../../request/fields.ts'
import { readMessages } from './reading-messages.ts'
import { readChoice, readTools } from './tools.ts'

/** Read into the neutral form. What is left (`performanceConfig`, `requestMetadata`, `serviceTier`) are hints: dropped for another family. */
const known: ReadonlySet<string> = new Set(['model', 'stream', 'messages', 'system', 'inferenceConfig', 'toolConfig', 'outputConfig'])

/** Fields that change what the answer means, and why others cannot express them. */
export const demandingFields: Readonly<Record<string, string>> = {
  guardrailConfig: 'no other API has guardrails of Bedrock',
  promptVariables: 'no other API has prompts of Bedrock',
  additionalModelRequestFields: 'they are fields of one model’s own API',
  additionalModelResponseFieldPaths: 'they are fields of one model’s own API',
}

/** The original is not changed, but parts of it may be shared with the result. Throws `request.invalid`. */
export function readRequest(body: JsonObject): HubRequest {
  const demands: HubDemand[] = []
  for (const [field, why] of Object.entries(demandingFields)) {
    const value = given(body, field)
    const isEmpty = typeof value === 'object' && Object.keys(value as object).length === 0
    if (value !== undefined && !isEmpty) demands.push({ family: 'aws', field, value, why })
  }
  const inference = objectOf(body.inferenceConfig) ?? {}
  const maxTokens = given(inference, 'maxTokens')
  if (maxTokens !== undefined && countOf(maxTokens) === undefined)
    throw invalid('inferenceConfig.maxTokens', 'it must be a positive number')
  return {
    model: requireName(body.model, 'model'),
    messages: readMessages(body),
    tools: readTools(body),
    choice: readChoice(body),
    parallelCalls: undefined,
    maxTokens: countOf(maxTokens),
    temperature: optionalNumber(inference.temperature, 'inferenceConfig.temperature'),
    topP: optionalNumber(inference.topP, 'inferenceConfig.topP'),
    topK: undefined,
    stop: { at: 'inferenceConfig.stopSequences', sequences: readStops(inference) },
    stream: typeof body.stream === 'boolean' ? body.stream : undefined,
    wantsUsage: true,
    user: undefined,
    format: readFormat(body),
    effort: { word: stringOf(objectOf(body.outputConfig)?.effort), budget: undefined, at: 'outputConfig.effort' },
    demands,
    extras: { aws: othersOf(body, known) },
  }
}

function readStops(inference: JsonObject): string[] {
  const stops = given(inference, 'stopSequences')
  if (stops === undefined) return []
  if (!Array.isArray(stops)) throw invalid('inferenceConfig.stopSequences', 'it must be an array')
  return stops.map((item, index) => {
    if (typeof item !== 'string') throw invalid(`inferenceConfig.stopSequences[${index}]`, 'it must be a string')
    return item
  })
}

/** The schema is JSON in a string. */
function readFormat(body: JsonObject): HubFormat | undefined {
  const format = objectOf(objectOf(body.outputConfig)?.textFormat)
  if (format === undefined) return undefined
  const at = 'outputConfig.textFormat'
  const wanted = objectOf(objectOf(format.structure)?.jsonSchema)
  let schema: unknown
  try {
    schema = parseJson(stringOf(wanted?.schema) ?? '')
  } catch {
    throw invalid(`${at}.structure.jsonSchema.schema`, 'it must be a schema as JSON text')
  }
  return { kind: 'json-schema', schema: objectOf(schema as JsonObject) ?? {}, name: stringOf(wanted?.name), strict: undefined }
}
