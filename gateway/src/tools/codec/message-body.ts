/**
 * Parses the body of an MCP request and refuses what two parsers could read differently: a key twice in one
 * object anywhere, and keys that differ only in case where we read by name (the envelope and `params`).
 * Inside `arguments` case variants are data. Depth and keys are bounded before anything is built.
 */
import { TurnwardError } from '../../core/error.ts'

export interface BodyLimits {
  readonly maxDepth: number
  readonly maxKeys: number
}

interface Level {
  /** Keys seen; undefined in an array. */
  readonly keys: Set<string> | undefined
  /** Lower-case keys seen, where case variants are refused. */
  readonly folded: Set<string> | undefined
  /** The last key, until its value has begun. */
  key: string | undefined
  expectsKey: boolean
}

const quote = 0x22
const backslash = 0x5c

/** The parsed value. Throws `request.malformed`, `request.too_deep` or `request.ambiguous_key`. */
export function parseMessageBody(bytes: Buffer, limits: BodyLimits): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new TurnwardError('request.malformed', { why: 'it is not UTF-8' })
  }
  checkKeys(text, limits)
  try {
    return JSON.parse(text)
  } catch {
    throw new TurnwardError('request.malformed', { why: 'it is not JSON' })
  }
}

/** One pass over the text; assumes nothing about its syntax, which the parser checks afterwards. */
function checkKeys(text: string, limits: BodyLimits): void {
  const stack: Level[] = []
  let keys = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    const top = stack.at(-1)
    if (code === quote) {
      const end = stringEnd(text, at)
      if (top?.keys !== undefined && top.expectsKey) {
        keys += 1
        if (keys > limits.maxKeys) throw new TurnwardError('request.too_deep')
        takeKey(top, text.slice(at, end + 1))
      }
      at = end
    } else if (code === 0x7b || code === 0x5b) {
      if (stack.length >= limits.maxDepth) throw new TurnwardError('request.too_deep')
      stack.push(levelFor(code === 0x7b, stack))
    } else if (code === 0x7d || code === 0x5d) stack.pop()
    else if (code === 0x2c && top !== undefined) top.expectsKey = true
  }
}

function levelFor(isObject: boolean, stack: readonly Level[]): Level {
  if (!isObject) return { keys: undefined, folded: undefined, key: undefined, expectsKey: false }
  // A batch puts every envelope one level deeper.
  const depth = stack[0]?.keys === undefined ? stack.length - 1 : stack.length
  const named = depth <= 0 || (depth === 1 && stack.at(-1)?.key === 'params')
  return { keys: new Set(), folded: named ? new Set() : undefined, key: undefined, expectsKey: true }
}

function takeKey(level: Level, quoted: string): void {
  let key: string
  try {
    key = quoted.includes('\\') ? String(JSON.parse(quoted)) : quoted.slice(1, -1)
  } catch {
    throw new TurnwardError('request.malformed', { why: 'it is not JSON' })
  }
  const folded = key.toLowerCase()
  if (level.keys?.has(key) === true || level.folded?.has(folded) === true) throw new TurnwardError('request.ambiguous_key')
  level.keys?.add(key)
  level.folded?.add(folded)
  level.key = key
  level.expectsKey = false
}

/** Index of the closing quote, or of the last character of an unfinished text. */
function stringEnd(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes += 1
    if (slashes % 2 === 0) return end
  }
  return text.length - 1
}
