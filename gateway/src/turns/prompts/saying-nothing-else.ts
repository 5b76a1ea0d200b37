/**
 * What a request may have besides the template it calls, where nothing else may be said to a model: settings that no model
 * reads. Everything that is not known to be one is refused: instructions, tools, schemas and a file carry words as well as a
 * message does, and so may a field that a vendor adds tomorrow.
 */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))

/** Settings of all dialects, and what is in those that are objects. */
const settings = words(`
  model stream stream_options include_usage include_obfuscation n candidateCount background truncation store include
  max_tokens max_completion_tokens max_output_tokens maxTokens maxOutputTokens
  temperature top_p top_k min_p topP topK seed
  stop stop_sequences stopSequences frequency_penalty presence_penalty repetition_penalty frequencyPenalty presencePenalty
  logprobs top_logprobs responseLogprobs parallel_tool_calls
  reasoning reasoning_effort effort summary verbosity thinking budget_tokens display
  thinkingConfig thinkingBudget thinkingLevel includeThoughts
  generationConfig inferenceConfig output_config
  text format response_format type responseMimeType modalities responseModalities
  user safety_identifier service_tier serviceTier performanceConfig latency anthropic_version
  prompt_cache_key prompt_cache_retention
`)

/** What is in them is for the vendor alone, whatever it is called. */
const opaque = words('metadata labels requestMetadata safetySettings')

/** The name of the first field that may say more than the template; `listField` holds what it has made. */
export function saysMore(body: JsonObject, listField: string): string | undefined {
  for (const [name, value] of Object.entries(body)) {
    if (name === listField || opaque.has(name)) continue
    if (!settings.has(name)) return name
    const within = saysMoreWithin(value)
    if (within !== undefined) return `${name}.${within}`
  }
  return undefined
}

function saysMoreWithin(value: JsonValue): string | undefined {
  if (Array.isArray(value)) return value.map(saysMoreWithin).find((name) => name !== undefined)
  if (!isObject(value)) return undefined
  for (const [name, inner] of Object.entries(value)) {
    if (!settings.has(name)) return name
    const within = saysMoreWithin(inner)
    if (within !== undefined) return `${name}.${within}`
  }
  return undefined
}
