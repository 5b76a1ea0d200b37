/**
 * Reads a message whose result is large: everything about it that takes time in proportion to its size, so that whoever is told
 * the outcome need not look at the whole again. Runs in a thread of its own; pure.
 */
import { parseExactJson } from '../../core/exact-json.ts'
import { digestJson } from '../../core/hash.ts'
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { isOurs, readMessage, type RpcId } from '../codec/json-rpc.ts'
import { finalResult, shapedResult } from '../connectors/result-shape.ts'
import { urisOf } from '../resource-uris.ts'

/** Which request the message answers, and of what kind it is: results of tools have a shape. */
export interface LargeForm {
  readonly id: number
  readonly of: 'tool' | 'other'
}

export type LargeReading =
  | {
      readonly id: RpcId | undefined
      /** JSON of the small fields. */
      readonly small: string
      /** JSON of the others. */
      readonly body: Uint8Array
      readonly fields: ReadonlyMap<string, 'object' | 'other'>
      readonly digest: string
      readonly texts: readonly string[]
      readonly uris: ReadonlySet<string> | undefined
    }
  /** It cannot be used. */
  | { readonly why: string }

/** Fields that are read by everybody. What else a result has is its content. */
const smallFields: ReadonlySet<string> = new Set(['_meta', 'isError', 'ttlMs', 'cacheScope'])
const mostSmall = 256 * 1024
/** Texts that words are looked for in, in characters: more words than that are not looked at in one text either. */
const mostText = 1_500_000
const deepest = 32
/** Each is looked up where nothing else may wait. */
const mostUris = 1000

/** Never throws. */
export function readLarge(message: string, form: LargeForm): LargeReading {
  try {
    return readResult(parseExactJson(message), form)
  } catch (error) {
    return { why: error instanceof SyntaxError ? 'its answer is not JSON' : 'its answer is too large or too deep to be read' }
  }
}

function readResult(value: unknown, { id: asked, of }: LargeForm): LargeReading {
  // 2025-03-26 servers may answer with a batch.
  const messages = (Array.isArray(value) ? value : [value]).map(readMessage)
  const message = messages.find((one) => (one.kind === 'result' || one.kind === 'error') && (one.id === undefined || isOurs(asked, one.id)))
  if (message === undefined) return { why: 'its answer is malformed' }
  if (message.kind !== 'result') return { why: 'it answered with an error that is too large' }
  const { resultType } = message.result
  if (resultType !== undefined && resultType !== null && resultType !== 'complete')
    return { why: 'it asks for something, or begins a task, with a message that is too large' }
  const result = finalResult(of === 'tool' ? shapedResult(message.result) : message.result)
  const entries = Object.entries(result)
  const small = JSON.stringify(Object.fromEntries(entries.filter(([name]) => smallFields.has(name))))
  if (small.length > mostSmall) return { why: 'what its answer says of itself is too large' }
  const large = entries.filter(([name]) => !smallFields.has(name))
  return {
    id: message.id,
    small,
    body: new TextEncoder().encode(JSON.stringify(Object.fromEntries(large))),
    fields: new Map(large.map(([name, field]) => [name, isObject(field) ? 'object' : 'other'])),
    digest: digestJson(result),
    texts: textsOf(Object.fromEntries(entries.filter(([name]) => name !== '_meta'))),
    uris: fewUris(result),
  }
}

function fewUris(result: JsonObject): ReadonlySet<string> | undefined {
  const uris = urisOf(result)
  return uris.size > mostUris ? undefined : uris
}

/** Texts in order, cut where there are enough. */
function textsOf(result: JsonObject): string[] {
  const texts: string[] = []
  let left = mostText
  const collect = (value: JsonValue, depth: number): void => {
    if (left <= 0) return
    if (typeof value === 'string') {
      texts.push(value.slice(0, left))
      // Joined, each takes a line of its own.
      left -= value.length + 1
    } else if (depth > 0 && Array.isArray(value)) for (const item of value) collect(item, depth - 1)
    else if (depth > 0 && isObject(value)) for (const item of Object.values(value)) collect(item, depth - 1)
  }
  collect(result, deepest)
  return texts
}
