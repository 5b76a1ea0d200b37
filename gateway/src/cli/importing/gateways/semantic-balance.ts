/** Upstreams that are chosen by what is said, as `balance: semantic` of a route. */
import { type ForeignComparing, setComparing } from './comparing.ts'
import type { DraftEntry } from './draft-entry.ts'
import type { ForeignTexts } from './foreign-text.ts'
import type { Foreign } from './foreign-value.ts'

export interface ForeignSemantic {
  /** What says that it is so, and what is different about it. */
  readonly algorithm: Foreign
  readonly why: string
  readonly comparing: ForeignComparing
  /** How upstreams are chosen among that nothing is near to. */
  readonly fallback: 'ordered' | 'weighted'
}

const longest = 1000

/** Of a text as an example; undefined where it is none. */
export function exampleOf(text: Foreign | undefined, owner: string, texts: ForeignTexts): string | undefined {
  const words = text?.text()?.trim() ?? ''
  return words === '' || words.length > longest ? undefined : texts.words(words, owner, `${owner}_example`).text
}

export function setSemantic(route: DraftEntry, { algorithm, why, comparing, fallback }: ForeignSemantic): void {
  route.set('balance', 'semantic', algorithm, why)
  setComparing(route, 'semantic', comparing)
  route.set('semantic.fallback', fallback)
}
