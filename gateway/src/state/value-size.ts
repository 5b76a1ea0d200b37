/** How much memory a JSON value takes, told roughly and quickly: what its texts come to, and a little for everything else. */

/** The parts of a value that are looked at; what lies beyond them is counted as nothing. */
const mostParts = 20_000
const perPart = 16

/** Bytes, roughly. */
export function sizeOf(value: unknown): number {
  return sizeOfPart(value, { parts: 0 })
}

function sizeOfPart(value: unknown, seen: { parts: number }): number {
  seen.parts += 1
  if (typeof value === 'string') return perPart + value.length
  if (typeof value !== 'object' || value === null) return perPart
  let size = perPart
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length && seen.parts < mostParts; at += 1) size += sizeOfPart((value as unknown[])[at], seen)
    return size
  }
  for (const key in value) {
    if (seen.parts >= mostParts) break
    size += key.length + sizeOfPart((value as Readonly<Record<string, unknown>>)[key], seen)
  }
  return size
}
