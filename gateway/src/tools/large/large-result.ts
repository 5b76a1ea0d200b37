/**
 * A result that was too large to be read here, as everybody else sees it: an ordinary object, whose large fields are read when
 * somebody looks at them. Whoever need not look passes the bytes on (`resultMessage`) and asks for what was found out elsewhere.
 */
import { parseExactJson } from '../../core/exact-json.ts'
import { digestJson } from '../../core/hash.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { resultText, type RpcId } from '../codec/json-rpc.ts'

/** What was found out about a large result. */
export interface LargeBody {
  /** Its large fields, as the text of one JSON object. */
  readonly text: Buffer
  /** Their names, and whether they are objects. */
  readonly fields: ReadonlyMap<string, 'object' | 'other'>
  /** `digestJson` of the whole result. */
  readonly digest: string
  /** Texts of the result but for `_meta`, in order, as far as anybody looks at them. */
  readonly texts: readonly string[]
  /** URIs of the resources it names; undefined when there are too many to tell. */
  readonly uris: ReadonlySet<string> | undefined
}

interface LargeResult {
  readonly small: JsonObject
  readonly body: LargeBody
}

const largeResults = new WeakMap<JsonObject, LargeResult>()

/** `small`: the fields that were read. */
export function largeResult(small: JsonObject, body: LargeBody): JsonObject {
  const result = { ...small }
  let read: JsonObject | undefined
  for (const name of body.fields.keys())
    Object.defineProperty(result, name, {
      enumerable: true,
      configurable: true,
      get() {
        read ??= readFields(body)
        return read[name]
      },
    })
  largeResults.set(result, { small, body })
  return result
}

function readFields({ text }: LargeBody): JsonObject {
  const value = parseExactJson(text.toString('utf8'))
  return isObject(value) ? value : {}
}

/** What was found out about the result, if it is a large one. */
export function largeBody(result: JsonObject): LargeBody | undefined {
  return largeResults.get(result)?.body
}

/** The result with other small fields; a large one stays so. `change` must not look at large fields. */
export function withSmallFields(result: JsonObject, change: (small: JsonObject) => JsonObject): JsonObject {
  const large = largeResults.get(result)
  return large === undefined ? change(result) : largeResult(change(large.small), large.body)
}

/** `digestJson`, for a large result as it was found out elsewhere. */
export function digestOfResult(result: JsonObject): string {
  return largeResults.get(result)?.body.digest ?? digestJson(result)
}

/** A message that goes out: text, or the bytes of a large result between two texts. */
export type Outgoing = string | readonly [head: string, body: Buffer, tail: string]

/** The response with this result. */
export function resultMessage(id: RpcId, result: JsonObject): Outgoing {
  const large = largeResults.get(result)
  if (large === undefined) return resultText(id, result)
  const small = JSON.stringify(large.small).slice(0, -1)
  const head = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${small}${small === '{' || large.body.fields.size === 0 ? '' : ','}`
  // Both are objects; one pair of braces is left.
  return [head, large.body.text.subarray(1), '}']
}

/** The message in one piece. */
export function textOfOutgoing(message: Outgoing): string {
  return typeof message === 'string' ? message : message.map((part) => part.toString()).join('')
}
