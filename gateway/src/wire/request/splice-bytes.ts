/**
 * Changes one top-level member of a JSON body in its bytes, so that everything else stays as the client wrote it.
 * Only for bodies that `parseGuardedJson` has accepted: it trusts them to be one valid object without duplicate keys.
 */

const quote = 0x22
const backslash = 0x5c

interface Member {
  readonly valueStart: number
  readonly valueEnd: number
}

/** The body with another top-level `model`; undefined when it has no top-level `model` that is a string. */
export function replaceModel(body: Buffer, model: string): Buffer | undefined {
  const member = findMember(body, 'model')
  if (member === undefined || body[member.valueStart] !== quote) return undefined
  return splice(body, member.valueStart, member.valueEnd, JSON.stringify(model))
}

export function hasTopLevel(body: Buffer, key: string): boolean {
  return findMember(body, key) !== undefined
}

/** The body with a top-level member set to `jsonText` (valid JSON): replaced where it is, else inserted at the front. */
export function setTopLevel(body: Buffer, key: string, jsonText: string): Buffer {
  const member = findMember(body, key)
  if (member !== undefined) return splice(body, member.valueStart, member.valueEnd, jsonText)
  const open = body.indexOf(0x7b) + 1
  const isEmpty = body[skipSpace(body, open)] === 0x7d
  return splice(body, open, open, `${JSON.stringify(key)}:${jsonText}${isEmpty ? '' : ','}`)
}

function splice(body: Buffer, start: number, end: number, text: string): Buffer {
  const size = Buffer.byteLength(text)
  const result = Buffer.allocUnsafe(start + size + body.length - end)
  body.copy(result, 0, 0, start)
  result.write(text, start)
  body.copy(result, start + size, end)
  return result
}

/** Walks the top-level members without looking inside their values. */
function findMember(body: Buffer, key: string): Member | undefined {
  let at = skipSpace(body, body.indexOf(0x7b) + 1)
  while (body[at] === quote) {
    const keyEnd = endOfString(body, at + 1)
    const isWanted = isKey(body, at + 1, keyEnd, key)
    const valueStart = skipSpace(body, skipSpace(body, keyEnd + 1) + 1)
    const valueEnd = endOfValue(body, valueStart)
    if (isWanted) return { valueStart, valueEnd }
    at = skipSpace(body, valueEnd)
    if (body[at] !== 0x2c) return undefined
    at = skipSpace(body, at + 1)
  }
  return undefined
}

function isKey(body: Buffer, start: number, end: number, key: string): boolean {
  const raw = body.toString('utf8', start, end)
  return raw === key || (raw.includes('\\') && JSON.parse(`"${raw}"`) === key)
}

function endOfValue(body: Buffer, start: number): number {
  const first = body[start]
  if (first === quote) return endOfString(body, start + 1) + 1
  const isContainer = first === 0x7b || first === 0x5b
  let depth = 0
  for (let at = start; at < body.length; at++) {
    const byte = body[at] as number
    if (byte === quote) at = endOfString(body, at + 1)
    else if (byte === 0x7b || byte === 0x5b) depth++
    else if (byte === 0x7d || byte === 0x5d) {
      if (!isContainer) return at
      if (--depth === 0) return at + 1
    } else if (!isContainer && (byte === 0x2c || byte <= 0x20)) return at
  }
  return body.length
}

/** Index of the quote that closes a string; the length of the body when there is none. */
function endOfString(body: Buffer, from: number): number {
  // Most strings are short: a native search costs more than looking at their bytes.
  const near = Math.min(from + 32, body.length)
  let at = from
  while (at < near) {
    const byte = body[at]
    if (byte === quote) return at
    at += byte === backslash ? 2 : 1
  }
  for (;;) {
    const end = body.indexOf(quote, at)
    if (end < 0) return body.length
    let slashes = end
    while (slashes > at && body[slashes - 1] === backslash) slashes--
    if (((end - slashes) & 1) === 0) return end
    at = end + 1
  }
}

function skipSpace(body: Buffer, from: number): number {
  let at = from
  while (at < body.length && (body[at] as number) <= 0x20) at++
  return at
}
