/** Finds where a fault goes: by the function it names and the words in it, wherever that function is now. Pure. */
import type { Fault } from './fault.ts'
import type { Place, Source } from './sources.ts'
import { occurrences, tokensOf, type Token } from './tokens.ts'

export interface FoundPlace {
  readonly source: Source
  readonly start: number
  readonly end: number
}

interface Candidate {
  readonly source: Source
  readonly place: Place
}

/** Throws an Error that names the fault, says what it lost (the function or the words in it), and where it may be now. */
export function findPlace(fault: Fault, sources: readonly Source[]): FoundPlace {
  const { name, place, stem, from, to } = fault
  const piece = tokensOf(from)
  if (piece.length === 0) throw new Error(`${name}: it does not say what it changes`)
  if (sameWords(piece, tokensOf(to))) throw new Error(`${name}: it changes nothing`)
  const candidates = candidatesFor(place, stem, sources)
  if (candidates.length === 0) throw new Error(`${name}: there is no \`${place}\` any more${nowIn(piece, sources)}`)
  const found = candidates.flatMap((candidate) => foundIn(candidate, piece))
  const files = candidates.map(({ source }) => source.file).join(', ')
  const [only] = found
  if (only === undefined) throw new Error(`${name}: \`${place}\` (${files}) does not hold \`${from}\` any more${nowIn(piece, sources)}`)
  if (found.length > 1) throw new Error(`${name}: \`${place}\` (${files}) holds \`${from}\` ${found.length} times`)
  return only
}

export function withFault({ source, start, end }: FoundPlace, { to }: Fault): string {
  return source.text.slice(0, start) + to + source.text.slice(end)
}

/** Whether a file is the one a fault means by its stem. */
export function hasStem(file: string, stem: string): boolean {
  return `/${file}`.endsWith(`/${stem}.ts`)
}

function candidatesFor(place: string, stem: string, sources: readonly Source[]): readonly Candidate[] {
  const all = sources.flatMap((source) =>
    source.places.filter(({ path }) => path === place || path.endsWith(`.${place}`)).map((found) => ({ source, place: found })),
  )
  const there = all.filter(({ source }) => hasStem(source.file, stem))
  return there.length > 0 ? there : all
}

function foundIn({ source, place }: Candidate, piece: readonly Token[]): readonly FoundPlace[] {
  const inside = source.tokens.filter(({ start, end }) => start >= place.start && end <= place.end)
  return occurrences(inside, piece).map((at) => ({
    source,
    start: inside[at]?.start ?? place.start,
    end: inside[at + piece.length - 1]?.end ?? place.end,
  }))
}

/** Where else the words stand, innermost place first: the function was renamed, or they went to another. */
function nowIn(piece: readonly Token[], sources: readonly Source[]): string {
  const elsewhere = sources.flatMap((source) =>
    occurrences(source.tokens, piece).map((at) => {
      const start = source.tokens[at]?.start ?? 0
      const around = source.places.filter((place) => place.start <= start && start < place.end)
      return `\`${around.at(-1)?.path ?? 'the file itself'}\` of ${source.file}`
    }),
  )
  return elsewhere.length === 0 || elsewhere.length > 3 ? '' : `; such words stand in ${elsewhere.join(', ')}`
}

function sameWords(one: readonly Token[], other: readonly Token[]): boolean {
  return one.length === other.length && occurrences(one, other).length === 1
}
