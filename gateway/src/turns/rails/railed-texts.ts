/** Texts of one answer on the rail: the pieces of one text belong together, whichever event they come in. */
import type { ShownText } from '../../wire/dialect.ts'
import { createTextRail, type Neutralised, type RailSettings, type TextRail } from './text-rail.ts'

/** A piece of a text that is written as far as it is decided, and the words it came with. */
export interface RailedPiece {
  readonly text: ShownText
  readonly came: string
}

export class RailedTexts {
  readonly #settings: RailSettings
  readonly #noted: Neutralised
  readonly #rails = new Map<string, TextRail>()
  /** Pieces of texts whose end is not decided, by their lane. */
  readonly #open = new Map<string, RailedPiece[]>()

  constructor(settings: RailSettings, noted: Neutralised) {
    this.#settings = settings
    this.#noted = noted
  }

  /** Writes what can be said of these pieces. What a text tells again as a whole is not counted again. */
  take(texts: readonly ShownText[]): readonly RailedPiece[] {
    return texts.map((text) => {
      const piece = { text, came: wordsOf(text) }
      if (text.isWhole === true) this.#takeWhole(text, { links: 0, invisible: 0 })
      else this.#step(piece)
      return piece
    })
  }

  /** Writes all of a whole answer. */
  takeAll(texts: readonly ShownText[]): void {
    for (const text of texts) {
      if (text.isWhole === true) this.#takeWhole(text, this.#noted)
      else this.#step({ text, came: wordsOf(text) })
    }
    this.finish()
  }

  /** Whether more is to be written into this piece. */
  isOpen(piece: RailedPiece): boolean {
    return this.#open.get(piece.text.lane)?.includes(piece) === true
  }

  /** What is held back is decided as it stands. */
  finish(): void {
    for (const [lane, pieces] of this.#open) {
      const last = pieces.at(-1)
      if (last !== undefined) last.text.holder[last.text.field] = wordsOf(last.text) + (this.#rails.get(lane)?.finish() ?? '')
      settle(pieces)
    }
    this.#open.clear()
  }

  #step(piece: RailedPiece): void {
    const { lane, holder, field } = piece.text
    let rail = this.#rails.get(lane)
    if (rail === undefined) this.#rails.set(lane, (rail = createTextRail(this.#settings, this.#noted)))
    holder[field] = rail.step(piece.came)
    const pieces = [...(this.#open.get(lane) ?? []), piece]
    if (rail.isHolding) this.#open.set(lane, pieces)
    else {
      this.#open.delete(lane)
      settle(pieces)
    }
  }

  #takeWhole(text: ShownText, noted: Neutralised): void {
    const rail = createTextRail(this.#settings, noted)
    text.holder[text.field] = rail.step(wordsOf(text)) + rail.finish()
  }
}

/** Words that were only waited for stay where they came. */
function settle(pieces: readonly RailedPiece[]): void {
  const isSame = pieces.map(({ text }) => wordsOf(text)).join('') === pieces.map(({ came }) => came).join('')
  if (isSame) for (const { text, came } of pieces) text.holder[text.field] = came
}

export function wordsOf({ holder, field }: ShownText): string {
  const words = holder[field]
  return typeof words === 'string' ? words : ''
}
