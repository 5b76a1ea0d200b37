/** What reads the configuration of one other gateway. Each has a folder and a line in `importers.ts`. */
import type { Draft } from './draft.ts'
import type { Foreign } from './foreign-value.ts'
import type { ForeignPart, ForeignTexts } from './foreign-text.ts'

export interface Importer {
  readonly title: string
  /** What its file is made of: one that has none of these is another's. */
  readonly sections: readonly string[]
  /** How its file refers to variables and secrets. */
  readonly parts: (text: string) => readonly ForeignPart[]
  /** Variables it reads without its file naming them. */
  readonly implied: (root: Foreign) => readonly string[]
  /** Values of variables that the file itself has. */
  readonly given: (root: Foreign) => ReadonlyMap<string, Foreign>
  /** Makes the draft, and says of every value what became of it; those it does not speak of are not carried over. */
  readonly take: (root: Foreign, draft: Draft, texts: ForeignTexts) => void
}
