/**
 * Parses the body of an MCP request and refuses what two parsers could read differently: a key twice in one
 * object anywhere, and keys that differ only in case where we read by name (the envelope and `params`).
 * Inside `arguments` case variants are data.
 */
import { isUtf8 } from 'node:buffer'
import { TurnwardError } from '../../core/error.ts'
import { isObject } from '../../core/json.ts'
import { parseOpenJson, type JsonLimits } from '../../wire/json-guard.ts'

/** The parsed value, an array for a batch. Throws `request.malformed`, `request.too_deep` or `request.ambiguous_key`. */
export function parseMessageBody(bytes: Buffer, limits: JsonLimits): unknown {
  if (!isUtf8(bytes)) throw new TurnwardError('request.malformed', { why: 'it is not UTF-8' })
  const value = parse(bytes.toString('utf8'), limits)
  for (const message of Array.isArray(value) ? value : [value]) {
    refuseCaseVariants(message)
    if (isObject(message)) refuseCaseVariants(message['params'])
  }
  return value
}

function parse(text: string, limits: JsonLimits): unknown {
  try {
    return parseOpenJson(text, limits)
  } catch (error) {
    // The parser's message quotes the body, so it is not kept as cause.
    throw error instanceof TurnwardError ? error : new TurnwardError('request.malformed', { why: 'it is not JSON' })
  }
}

/** No key is there twice any more, so every spelling is still visible here. */
function refuseCaseVariants(value: unknown): void {
  if (!isObject(value)) return
  const keys = Object.keys(value)
  if (new Set(keys.map((key) => key.toLowerCase())).size !== keys.length) throw new TurnwardError('request.ambiguous_key')
}
