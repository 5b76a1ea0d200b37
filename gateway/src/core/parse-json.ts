/**
 * JSON.parse that keeps escaped keys. V8 up to at least 14.6 may take an object key written with an escape for another
 * key it has parsed before (nodejs/node#63785): after `{"a":1,"\\u":1}`, the `"\u0074o"` of `{"a":1,"\u0074o":1}` is
 * read as `\u`, not as `to`. Whoever sends both could hide an argument from us that every other reader sees.
 */
import type { JsonValue } from './json.ts'

const maxDepth = 512
const backslash = 0x5c

/** The value of JSON text. Throws SyntaxError. */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  return text.includes('\\') && hasEscapedKeys(text) ? new FaithfulReader(text).read() : value
}

/** As `parseJson`, for a caller that knows already that the text has escaped keys. */
export function parseEscapedKeys(text: string): unknown {
  JSON.parse(text)
  return new FaithfulReader(text).read()
}

/** As `parseEscapedKeys` for text that has been parsed before; `number` makes the value of every number from its literal. */
export function readNumbers(text: string, number: (literal: string) => JsonValue): unknown {
  return new FaithfulReader(text, number).read()
}

/** Index of the quote that closes a string whose first character is at `from`; -1 when there is none. */
export function endOfString(text: string, from: number): number {
  let end = text.indexOf('"', from)
  while (end > from && text.charCodeAt(end - 1) === backslash) {
    let slashes = end - 1
    while (slashes > from && text.charCodeAt(slashes - 1) === backslash) slashes--
    if (((end - slashes) & 1) === 0) return end
    end = text.indexOf('"', end + 1)
  }
  return end
}

/** Index after the number literal that begins at `from`, in valid JSON. */
export function endOfNumber(text: string, from: number): number {
  let end = from
  while (end < text.length && isOfNumber(text.charCodeAt(end))) end++
  return end
}

/** Digits, `-` and `.` lie between 0x2d and 0x39 with `/`, which valid JSON has only in strings; then `+`, `e`, `E`. */
function isOfNumber(code: number): boolean {
  return (code >= 0x2d && code <= 0x39) || code === 0x65 || code === 0x45 || code === 0x2b
}

function hasEscapedKeys(text: string): boolean {
  let start = text.indexOf('"')
  while (start >= 0) {
    const end = endOfString(text, start + 1)
    let after = end + 1
    while (text.charCodeAt(after) <= 0x20) after++
    if (text[after] === ':') {
      const escape = text.indexOf('\\', start)
      if (escape < 0) return false
      if (escape < end) return true
    }
    start = text.indexOf('"', after)
  }
  return false
}

/** Reads text that JSON.parse has found valid, object by object, so that no key is ever looked up. */
class FaithfulReader {
  readonly #text: string
  readonly #number: (literal: string) => JsonValue
  #at = 0

  constructor(text: string, number: (literal: string) => JsonValue = Number) {
    this.#text = text
    this.#number = number
  }

  read(depth = 0): JsonValue {
    if (depth > maxDepth) throw new SyntaxError('JSON is nested too deeply')
    this.#skipSpace()
    const first = this.#text[this.#at]
    if (first === '"') return this.#string()
    if (first === '{') return this.#object(depth)
    if (first === '[') return this.#array(depth)
    if (first === 't') return this.#word(4, true)
    if (first === 'f') return this.#word(5, false)
    if (first === 'n') return this.#word(4, null)
    const start = this.#at
    this.#at = endOfNumber(this.#text, start)
    return this.#number(this.#text.slice(start, this.#at))
  }

  #word(length: number, value: boolean | null): JsonValue {
    this.#at += length
    return value
  }

  #object(depth: number): JsonValue {
    const members: [string, JsonValue][] = []
    for (this.#step(); this.#text[this.#at] !== '}'; this.#skipComma()) {
      const key = this.#string()
      this.#skipSpace()
      this.#at++
      members.push([key, this.read(depth + 1)])
    }
    this.#at++
    // Defines own properties, `__proto__` too, as JSON.parse does.
    return Object.fromEntries(members)
  }

  #array(depth: number): JsonValue {
    const items: JsonValue[] = []
    for (this.#step(); this.#text[this.#at] !== ']'; this.#skipComma()) items.push(this.read(depth + 1))
    this.#at++
    return items
  }

  #string(): string {
    const start = this.#at
    this.#at = endOfString(this.#text, start + 1) + 1
    return JSON.parse(this.#text.slice(start, this.#at)) as string
  }

  #step(): void {
    this.#at++
    this.#skipSpace()
  }

  #skipComma(): void {
    this.#skipSpace()
    if (this.#text[this.#at] === ',') this.#step()
  }

  #skipSpace(): void {
    while (this.#text.charCodeAt(this.#at) <= 0x20) this.#at++
  }
}
