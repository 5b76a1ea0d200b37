/** How much memory a JSON value takes, told roughly and quickly: what its texts come to, and a little for everything else. */

/** The parts of a value that are looked at; what lies beyond them is counted as nothing. */
const mostParts = 20_000
const perPart = 16

/** Bytes, roughly. */
export function sizeOf(value: unknown): number {
  let size = 0
  let parts = 0
  const stack: unknown[] = [value]
  while (stack.length > 0 && parts < mostParts) {
    const part = stack.pop()
    parts += 1
    size += perPart
    if (typeof part === 'string') size += part.length
    else if (Array.isArray(part)) for (const item of part as unknown[]) stack.push(item)
    else if (typeof part === 'object' && part !== null) {
      for (const key in part) {
        size += key.length
        stack.push((part as Readonly<Record<string, unknown>>)[key])
      }
    }
  }
  return size
}
