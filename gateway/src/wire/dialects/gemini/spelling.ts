/**
 * Gemini reads every field in two spellings, `functionCall` and `function_call`. What is read here is read in the first one: the
 * parsed body is brought into it before anybody looks, and two spellings of one field are refused, because nobody knows which counts.
 */
import { TurnwardError } from '../../../core/error.ts'
import { isObject, type JsonValue } from '../../../core/json.ts'

/** Fields that a view, an edit or a conversion reads. */
const known: ReadonlySet<string> = new Set(
  [
    'contents systemInstruction tools toolConfig generationConfig safetySettings cachedContent labels generateContentRequest',
    'serviceTier store role parts text thought thoughtSignature inlineData fileData functionCall functionResponse',
    'executableCode codeExecutionResult toolCall toolResponse videoMetadata mimeType fileUri displayName data id name args',
    'partialArgs willContinue response scheduling functionDeclarations description parameters parametersJsonSchema',
    'responseJsonSchema behavior googleSearch googleSearchRetrieval urlContext codeExecution googleMaps fileSearch computerUse',
    'mcpServers enterpriseWebSearch retrieval functionCallingConfig retrievalConfig mode allowedFunctionNames',
    'streamFunctionCallArguments maxOutputTokens temperature topP topK stopSequences candidateCount responseMimeType',
    'responseSchema responseLogprobs logprobs responseModalities thinkingConfig thinkingBudget thinkingLevel includeThoughts',
    'presencePenalty frequencyPenalty seed speechConfig mediaResolution imageConfig',
  ].flatMap((line) => line.split(' ')),
)
const byFolded: ReadonlyMap<string, string> = new Map([...known].map((name) => [name.toLowerCase(), name]))

/** Below these, names are the user's own. */
const open: ReadonlySet<string> = new Set([
  'args',
  'response',
  'parameters',
  'parametersJsonSchema',
  'responseSchema',
  'responseJsonSchema',
  'labels',
  'partMetadata',
  'customConfigs',
])

/** Brings the fields that are read into the spelling they are read in, where they stand. Throws `request.ambiguous_key`. */
export function settleSpelling(value: JsonValue | undefined): void {
  if (Array.isArray(value)) for (const item of value) settleSpelling(item)
  else if (isObject(value)) {
    for (const key of Object.keys(value)) {
      let name = key
      if (!known.has(key)) {
        const meant = readSpelling(key)
        if (meant !== key) {
          if (key !== snakeOf(meant) || value[meant] !== undefined)
            throw new TurnwardError('request.ambiguous_key', { subject: key.slice(0, 64) })
          name = meant
          value[name] = value[key] ?? null
          delete value[key]
        }
      }
      if (!open.has(name)) settleSpelling(value[name])
    }
  }
}

/** A field as it is read here, however it is spelled. */
export function readSpelling(key: string): string {
  return byFolded.get(key.replaceAll('_', '').toLowerCase()) ?? key
}

function snakeOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
