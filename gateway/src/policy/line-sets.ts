/** Sets of lines of the configuration as bits, lowest line first: thousands of lines are compared in some hundred steps. */

export type LineSet = Uint32Array

/** A set with room for `count` lines, with these in it. */
export function lineSet(count: number, lines: Iterable<number> = []): LineSet {
  const set = new Uint32Array((count + 31) >>> 5)
  for (const line of lines) addLine(set, line)
  return set
}

export function addLine(set: LineSet, line: number): void {
  const word = line >>> 5
  set[word] = (set[word] ?? 0) | (1 << (line & 31))
}

export function removeLine(set: LineSet, line: number): void {
  const word = line >>> 5
  set[word] = (set[word] ?? 0) & ~(1 << (line & 31))
}

export function hasLine(set: LineSet, line: number): boolean {
  return ((set[line >>> 5] ?? 0) & (1 << (line & 31))) !== 0
}

/** The first line that is in both; undefined for none. */
export function firstInBoth(one: LineSet, other: LineSet): number | undefined {
  for (let word = 0; word < one.length; word += 1) {
    const both = (one[word] ?? 0) & (other[word] ?? 0)
    if (both !== 0) return (word << 5) + (31 - Math.clz32(both & -both))
  }
  return undefined
}
