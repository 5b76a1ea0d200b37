/**
 * Plain JSON values, and the canonical form that digests are made of. A number that no double holds may stand as a raw
 * number (`parseExactJson`): not an object to `isObject`, and written back by JSON.stringify as it came.
 */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject
export interface JsonObject {
  [key: string]: JsonValue
}

/** ECMAScript "JSON.parse source text access", which the TypeScript library does not describe yet. */
const source = JSON as unknown as {
  isRawJSON: (value: unknown) => value is { readonly rawJSON: string }
  rawJSON: (text: string) => JsonObject
}

/** Whether the value stands for JSON text that JSON.stringify writes as it is. */
export const isRawJSON = (value: unknown): value is { readonly rawJSON: string } => source.isRawJSON(value)
/** A value that JSON.stringify writes as this text. Throws SyntaxError unless it is one JSON scalar. */
export const rawJSON = (text: string): JsonObject => source.rawJSON(text)

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawJSON(value)
}

/** Whether no value lies in more lists and objects than this. */
export function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return depth > 0 && Object.values(value).every((one) => isShallow(one, depth - 1))
}

/** The value when it is text, else `''`. */
export function asText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** JSON with sorted keys and no white space: equal values give equal text (RFC 8785 in spirit; numbers as JavaScript writes them, raw numbers as they came). */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) {
    let text = ''
    for (const item of value) text += `${text === '' ? '' : ','}${canonicalJson(item)}`
    return `[${text}]`
  }
  if (!isObject(value)) return JSON.stringify(value)
  const keys = Object.keys(value)
  if (!areSorted(keys)) keys.sort()
  let text = ''
  for (const key of keys) {
    const part = value[key]
    if (part !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(part)}`
  }
  return `{${text}}`
}

function areSorted(keys: readonly string[]): boolean {
  for (let at = 1; at < keys.length; at += 1) if ((keys[at - 1] as string) > (keys[at] as string)) return false
  return true
}
