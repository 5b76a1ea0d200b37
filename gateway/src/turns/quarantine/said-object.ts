/** The one JSON object that a model was asked for, in an answer in the form of Messages. */
import { asText, isObject, type JsonObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'

/** Characters of an answer that are looked at. */
const longestAnswer = 16_384

/** Undefined when it said anything else. Models like to wrap JSON in a fence. */
export function saidObject({ content }: JsonObject): JsonObject | undefined {
  const blocks = Array.isArray(content) ? content.filter(isObject) : []
  const said = blocks
    .map((block) => (block.type === 'text' ? asText(block.text) : ''))
    .join('')
    .slice(0, longestAnswer)
  const [, fenced = said] = /^\s*```(?:json)?\s*([\s\S]*?)```\s*$/.exec(said) ?? []
  try {
    const parsed: unknown = parseJson(fenced.trim())
    return isObject(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}
