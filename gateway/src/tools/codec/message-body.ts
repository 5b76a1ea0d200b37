/**
 * Parses the body of an MCP request and refuses what two parsers could read differently: a key twice in one
 * object anywhere, and keys that differ only in case where we read by name (the envelope and `params`).
 * Inside `arguments` case variants are data. Numbers that would change on their way are never rounded: in the arguments
 * of a call they stay raw for `readCall`, which can tell the model; anywhere else they are refused here.
 */
import { TurnwardError } from '../../core/error.ts'
import { losesNumbers, parseExactJson, pathToRawNumber } from '../../core/exact-json.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { parseOpenJson, textOf, type JsonLimits } from '../../wire/request/json-guard.ts'

/** The parsed value, an array for a batch. Throws `request.malformed`, `request.too_deep`, `request.ambiguous_key` or `request.invalid` (a number). */
export function parseMessageBody(bytes: Buffer, limits: JsonLimits): unknown {
  const text = textOf(bytes)
  const parsed = jsonOf(() => parseOpenJson(text, limits))
  const hasRaw = losesNumbers(text)
  const value = hasRaw ? jsonOf(() => parseExactJson(text)) : parsed
  for (const message of Array.isArray(value) ? value : [value]) {
    refuseCaseVariants(message)
    if (isObject(message)) refuseCaseVariants(message.params)
    if (hasRaw) refuseRawNumbers(message)
  }
  return value
}

function jsonOf(parse: () => unknown): unknown {
  try {
    return parse()
  } catch (error) {
    // The parser's message quotes the body, so it is not kept as cause.
    throw error instanceof TurnwardError ? error : new TurnwardError('request.malformed', { why: 'it is not JSON' })
  }
}

/** No key is there twice any more, so every spelling is still visible here. */
function refuseCaseVariants(value: unknown): void {
  if (!isObject(value)) return
  const keys = Object.keys(value)
  // What is written small throughout differs already.
  if (keys.every((key) => key === key.toLowerCase())) return
  if (new Set(keys.map((key) => key.toLowerCase())).size !== keys.length) throw new TurnwardError('request.ambiguous_key')
}

/** Why a number is refused; what we decide on and what the server reads would be two values. */
export function numberRefusal(path: readonly string[]): string {
  return `\`${path.join('/').slice(0, 120)}\`: the number has more digits or a larger exponent than can be passed on unchanged`
}

function refuseRawNumbers(message: unknown): void {
  const path = pathToRawNumber(isObject(message) && message.method === 'tools/call' ? withoutArguments(message) : message)
  if (path === undefined) return
  throw new TurnwardError('request.invalid', {
    why: numberRefusal(path),
    fix: 'Send integers between -(2^53-1) and 2^53-1 and numbers of up to 15 digits, or text.',
  })
}

function withoutArguments(message: JsonObject): JsonObject {
  const { params } = message
  if (!isObject(params) || !isObject(params.arguments)) return message
  const { arguments: _arguments, ...rest } = params
  return { ...message, params: rest }
}
