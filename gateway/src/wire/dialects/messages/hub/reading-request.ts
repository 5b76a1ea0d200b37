/** A messages request in the neutral form. Fields of this dialect only are kept as extras; those that change what the answer means are demands. */
import type { JsonObject, JsonValue } from '../../../../core/json.ts'
import type { HubDemand, HubFormat, HubRequest } from '../../../hub/conversation.ts'
import { countOf, given, objectOf, othersOf, stringOf, tag } from '../../../hub/loose-fields.ts'
import { invalid, optionalNumber, requireName } from '../../../request/fields.ts'
import { readMessages } from './reading-messages.ts'
import { readChoice, readParallel, readTools } from './tools.ts'

/** Read into the neutral form. What is left (`top_k`, `service_tier`, `context_management`, …) are hints: dropped for another family. */
const known: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'system',
  'tools',
  'tool_choice',
  'max_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'stream',
  'metadata',
  'output_format',
])

interface Demanding {
  readonly why: string
  readonly fix?: string
  /** Values that mean the same as leaving the field out. */
  readonly harmless?: (value: JsonValue) => boolean
}

/** Fields that change what the answer means. */
export const demandingFields: Readonly<Record<string, Demanding>> = {
  mcp_servers: {
    why: 'no other API calls MCP servers by itself',
    fix: 'Register the servers with the gateway.',
    harmless: (value) => typeof value === 'object' && value !== null && Object.keys(value).length === 0,
  },
  container: { why: 'no other API has containers' },
  inference_geo: { why: 'no field of another API promises where inference runs' },
}

/** The original is not changed, but parts of it may be shared with the result. Throws `request.invalid`. */
export function readRequest(body: JsonObject): HubRequest {
  const demands: HubDemand[] = []
  for (const [field, { why, fix, harmless }] of Object.entries(demandingFields)) {
    const value = given(body, field)
    if (value !== undefined && harmless?.(value) !== true) demands.push({ family: 'anthropic', field, value, why, fix })
  }
  const thinking = objectOf(body.thinking)
  return {
    model: requireName(body.model, 'model'),
    messages: readMessages(body),
    tools: readTools(body),
    choice: readChoice(body),
    parallelCalls: readParallel(body),
    maxTokens: readMaxTokens(body),
    temperature: optionalNumber(body.temperature, 'temperature'),
    topP: optionalNumber(body.top_p, 'top_p'),
    topK: optionalNumber(body.top_k, 'top_k'),
    stop: { at: 'stop_sequences', sequences: readStops(body) },
    stream: typeof body.stream === 'boolean' ? body.stream : undefined,
    wantsUsage: true,
    user: stringOf(objectOf(body.metadata)?.user_id),
    format: readFormat(body),
    effort: {
      word: stringOf(given(objectOf(body.output_config) ?? {}, 'effort')),
      // An adaptive one asks for nothing in particular.
      budget: thinking?.type === 'enabled' ? countOf(thinking.budget_tokens) : undefined,
      at: thinking?.type === 'enabled' ? 'thinking' : 'output_config.effort',
    },
    demands,
    extras: { anthropic: othersOf(body, known) },
  }
}

function readMaxTokens(body: JsonObject): number | undefined {
  const value = given(body, 'max_tokens')
  const count = countOf(value)
  if (value !== undefined && count === undefined) throw invalid('max_tokens', 'it must be a positive number')
  return count
}

function readStops(body: JsonObject): string[] {
  const stops = given(body, 'stop_sequences')
  if (stops === undefined) return []
  if (!Array.isArray(stops)) throw invalid('stop_sequences', 'it must be an array')
  return stops.map((item, index) => {
    if (typeof item !== 'string') throw invalid(`stop_sequences[${index}]`, 'it must be a string')
    return item
  })
}

/** `output_format` is the field's earlier place. */
function readFormat(body: JsonObject): HubFormat | undefined {
  const format = objectOf(given(objectOf(body.output_config) ?? {}, 'format')) ?? objectOf(body.output_format)
  if (format === undefined) return undefined
  const at = 'output_config.format'
  if (format.type !== 'json_schema')
    return { kind: 'native', family: 'anthropic', called: `a format like ${tag(format.type)}`, value: format, at }
  const schema = objectOf(format.schema)
  if (schema === undefined) throw invalid(`${at}.schema`, 'it must be an object')
  return { kind: 'json-schema', schema, name: undefined, strict: undefined }
}
