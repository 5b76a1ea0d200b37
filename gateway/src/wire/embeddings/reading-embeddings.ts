/** What forms of embeddings share when they read and write. */
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { invalid, isAbsent, malformed, requireArray, requireString } from '../request/fields.ts'
import type { EmbeddingHints, EmbeddingsAsked } from './embedding-form.ts'

/** Texts that vendors with a limit of their own take at once at most. */
export const mostTexts = 2048

/** The texts of a list. Throws `request.invalid` naming the field. */
export function readTexts(value: JsonValue | undefined, path: string): readonly string[] {
  const texts = requireArray(value, path).map((text, at) => requireString(text, `${path}[${at}]`))
  if (texts.length === 0) throw invalid(path, 'it is empty')
  if (texts.length > mostTexts) throw invalid(path, `it has more than ${mostTexts} texts: send them in several requests`)
  return texts
}

/** A whole number of at least 1 that may be absent. */
export function readCount(value: JsonValue | undefined, path: string): number | undefined {
  if (isAbsent(value)) return undefined
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) throw invalid(path, 'it must be a whole number of at least 1')
  return value
}

/** Names that are told in a header. */
const fieldName = /^[\w.-]{1,64}$/
const mostFields = 32

/** Fields of a body beside those that are known. */
export function otherFields(body: JsonObject, known: readonly string[]): readonly string[] {
  return Object.keys(body)
    .filter((name) => !known.includes(name) && !isAbsent(body[name]) && fieldName.test(name))
    .slice(0, mostFields)
}

/** Hints that are there and that the form does not name. */
export function unsaidOf({ hints }: EmbeddingsAsked, said: readonly (keyof EmbeddingHints)[]): (keyof EmbeddingHints)[] {
  return (Object.keys(hints) as (keyof EmbeddingHints)[]).filter((hint) => hints[hint] !== undefined && !said.includes(hint))
}

/** The list in parts of at most `most`. */
export function inParts<Item>(list: readonly Item[], most: number): readonly (readonly Item[])[] {
  const parts: (readonly Item[])[] = []
  for (let from = 0; from < list.length; from += most) parts.push(list.slice(from, from + most))
  return parts
}

/** Vectors of an answer: as many as there were texts, and numbers only. Throws `upstream.malformed`. */
export function readVectors(value: JsonValue | undefined, count: number): readonly (readonly number[])[] {
  if (!Array.isArray(value) || value.length !== count) throw malformed('it has not as many vectors as there were texts')
  return value.map((vector) => {
    if (!Array.isArray(vector) || vector.some((number) => typeof number !== 'number')) throw malformed('a vector is no list of numbers')
    return vector as number[]
  })
}

/** A count of tokens, where it is one. */
export function readTokens(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/** 32-bit floats, least significant byte first, in base64. */
export function packedVector(vector: readonly number[]): string {
  const bytes = Buffer.allocUnsafe(vector.length * 4)
  vector.forEach((number, at) => bytes.writeFloatLE(number, at * 4))
  return bytes.toString('base64')
}
