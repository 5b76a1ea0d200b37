/** Vectors of texts: of length one, so that the product of two is the cosine of their angle. Pure. */
export type Vector = Float32Array

/** More than any model makes. */
const mostDimensions = 16_384

/** Undefined for what has no direction, or more dimensions than any model makes. */
export function unitVector(numbers: readonly number[]): Vector | undefined {
  if (numbers.length === 0 || numbers.length > mostDimensions) return undefined
  const length = Math.hypot(...numbers)
  if (length === 0 || !Number.isFinite(length)) return undefined
  return Float32Array.from(numbers, (number) => number / length)
}

/** Cosine. Vectors of two models are not near each other. */
export function cosine(one: Vector, other: Vector): number {
  if (one.length !== other.length) return -1
  let sum = 0
  for (let at = 0; at < one.length; at += 1) sum += (one[at] ?? 0) * (other[at] ?? 0)
  return sum
}
