/**
 * Parses a JSON body once, after one pass that makes sure everybody reads it alike: no duplicate keys anywhere,
 * no keys that differ only by case where we read, bounded depth and key count. What we decide on is then what the
 * upstream reads. It never repairs a body: it is accepted as it is or refused.
 */
import { isUtf8 } from 'node:buffer'
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { KeyFrames } from './key-frames.ts'
import type { ToolsPlace } from './known-tools.ts'
import { endOfString, parseEscapedKeys } from '../../core/parse-json.ts'

export interface JsonLimits {
  readonly maxDepth: number
  /** Keys in the whole body. */
  readonly maxKeys: number
  /** The list at the top of a body whose elements are marked. Default: `messages`. */
  readonly listField?: string
  /** Fields that are read: another spelling of their names is refused. Default: none. */
  readonly guardedFields?: ReadonlySet<string>
}

const noFields: ReadonlySet<string> = new Set()

/**
 * Below these keys live names that users choose (tool arguments, JSON schemas, metadata), which may legally differ
 * only by case. At the top of a body only metadata counts: nothing else there is the user's to name.
 */
const openNames: ReadonlySet<string> = new Set([
  'parameters',
  'input_schema',
  'input',
  'input_examples',
  'arguments',
  'metadata',
  'schema',
  'json',
  'args',
  'response',
  'parametersJsonSchema',
  'responseSchema',
  'responseJsonSchema',
])
const openNamesAtTop: ReadonlySet<string> = new Set(['metadata', 'requestMetadata'])

/**
 * The JSON object in `bytes`. Throws `request.malformed` (not UTF-8, not JSON, not an object),
 * `request.ambiguous_key` (duplicate or case-variant keys, `__proto__`) or `request.too_deep`.
 */
export function parseGuardedJson(bytes: Buffer, limits: JsonLimits, tools?: ToolsPlace): JsonObject {
  return parseGuardedText(textOf(bytes), limits, undefined, tools)
}

/** The text of (a part of) a body. Throws `request.malformed` when it is not UTF-8. */
export function textOf(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new TurnwardError('request.malformed', { why: 'it is not UTF-8' })
  return bytes.toString('utf8')
}

/** As `parseGuardedJson` for text. `marks` is told where the messages of the body end, `tools` where its list of tools lies. */
export function parseGuardedText(text: string, limits: JsonLimits, marks?: MessageMarks, tools?: ToolsPlace): JsonObject {
  const hasEscapedKeys = scan(text, limits, false, marks, tools)
  const known = tools?.value
  // An empty list in the place of one that is known: what stands around it is right or wrong with the one as with the other.
  const unknown = tools === undefined || known === undefined ? text : `${text.slice(0, tools.start)}[]${text.slice(tools.end)}`
  let value: unknown
  try {
    value = hasEscapedKeys ? parseEscapedKeys(unknown) : JSON.parse(unknown)
  } catch {
    // The parser's message quotes the body, so it is not kept as cause.
    throw new TurnwardError('request.malformed', { why: 'it is not JSON' })
  }
  if (!isObject(value)) throw new TurnwardError('request.malformed', { why: 'it is not a JSON object' })
  if (known !== undefined) value.tools = known
  return value
}

/** As `parseGuardedJson` for text whose every key is the user's own, such as tool arguments: only exact duplicates are refused. */
export function parseOpenJson(text: string, limits: JsonLimits): unknown {
  return scan(text, limits, true) ? parseEscapedKeys(text) : JSON.parse(text)
}

/** Where the elements of the list of messages at the top of a body lie, in characters of its text. */
export class MessageMarks {
  /** After the bracket that opens the list; 0 when there was none. */
  start = 0
  /** Keys of the body before the list. */
  keysBefore = 0
  /** Keys that count as if they stood here: those of messages that were left out of the text because they are known. */
  keysElsewhere = 0
  /** After each element that is an object. */
  readonly ends: number[] = []
  /** Keys of the body up to each of these places. */
  readonly keys: number[] = []
}

const quote = 0x22
const comma = 0x2c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

const frames = new KeyFrames()

/** Checks the keys of JSON text; true when one is written with an escape. Sure of its answer on valid JSON only; what is not valid, the parser refuses afterwards. */
function scan(text: string, limits: JsonLimits, isOpen: boolean, marks?: MessageMarks, tools?: ToolsPlace): boolean {
  frames.reset(text, limits.guardedFields ?? noFields)
  const length = text.length
  // One entry per open container: 1 for an object, 0 for an array.
  const kinds = new Uint8Array(Math.min(limits.maxDepth, length) + 1)
  let depth = 0
  let keys = marks?.keysElsewhere ?? 0
  let expectsKey = false
  // Depth of the container from which on names are the user's own; 0 = we are not inside one.
  let openFrom = isOpen ? 1 : 0
  let opensNext = false
  /** The key at the top of the body whose value comes next. */
  let field: string | undefined
  let inList = false
  let keysBeforeTools = -1
  const listField = limits.listField ?? 'messages'
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      const end = endOfString(text, at + 1)
      if (end < 0) return false
      if (expectsKey) {
        if (++keys > limits.maxKeys) throw tooManyKeys(limits)
        const name = frames.add(at + 1, end, openFrom > 0)
        opensNext = openFrom === 0 && name !== undefined && (depth === 1 ? openNamesAtTop : openNames).has(name)
        field = depth === 1 ? name : undefined
        expectsKey = false
      }
      at = end
    } else if (code === openBrace || code === openBracket) {
      if (field === 'tools' && tools !== undefined && code === openBracket) {
        if (tools.find(text, at)) {
          field = undefined
          keys += tools.keys
          if (keys > limits.maxKeys) throw tooManyKeys(limits)
          at = tools.end - 1
          continue
        }
        keysBeforeTools = keys
      }
      if (++depth > limits.maxDepth)
        throw new TurnwardError('request.too_deep', { why: `it is nested more than ${limits.maxDepth} levels deep` })
      expectsKey = code === openBrace
      kinds[depth] = expectsKey ? 1 : 0
      if (expectsKey) frames.open()
      if (opensNext) openFrom = depth
      opensNext = false
      if (field === listField && marks !== undefined && code === openBracket) {
        inList = true
        marks.start = at + 1
        marks.keysBefore = keys - marks.keysElsewhere
      }
      field = undefined
    } else if (code === closeBrace || code === closeBracket) {
      if (depth === 0) return false
      if (kinds[depth] === 1) frames.close()
      if (depth === openFrom && !isOpen) openFrom = 0
      depth--
      expectsKey = false
      if (keysBeforeTools >= 0 && depth === 1 && tools !== undefined) {
        tools.end = at + 1
        tools.keys = keys - keysBeforeTools
        keysBeforeTools = -1
      }
      if (inList && depth <= 2) {
        if (depth < 2) inList = false
        else if (code === closeBrace && marks !== undefined) {
          marks.ends.push(at + 1)
          marks.keys.push(keys)
        }
      }
    } else if (code === comma) {
      expectsKey = kinds[depth] === 1
      opensNext = false
      field = undefined
    }
  }
  return frames.hasEscapes
}

function tooManyKeys({ maxKeys }: JsonLimits): TurnwardError {
  return new TurnwardError('request.too_deep', { why: `it has more than ${maxKeys} keys` })
}
