/**
 * Somebody is asked about the words of a stream while it flows: about as much at once as was gathered, together with what stands before it.
 * What is asked about has placeholders again where originals were put back: whoever is asked is no reader of theirs.
 */
import type { GuardedLane, Piece } from './guarded-lane.ts'
import type { GuardsOfCall } from './guards-of-call.ts'
import { endOfSentences } from './sentences.ts'
import type { TextUnit } from './text-units.ts'

/** Words of an event, and the text that they belong to. */
export interface ShownPiece {
  readonly lane: GuardedLane
  readonly piece: Piece
}

/** What has been passed is shown again with what comes, this much of it. */
const contextLength = 300

export class AskingOnTheWay {
  readonly #guards: GuardsOfCall
  /** Characters, or to the end of a sentence. */
  readonly #gathers: number | 'sentence'
  /** Settles when nobody is asked any more. Never rejects. */
  ended: Promise<void> | undefined

  constructor(guards: GuardsOfCall, gathers: number | 'sentence') {
    this.#guards = guards
    this.#gathers = gathers
  }

  /**
   * Asks about what has gathered; undefined while that is too little, or somebody is asked already. `pieces`: those that are decided, in their order.
   * `shown`: characters of the answer that have gone out. Rejects with `guard.*`.
   */
  ask(pieces: readonly ShownPiece[], isEnd: boolean, shown: number): Promise<void> | undefined {
    const all = pieces.filter(({ piece }) => piece.isPassed !== true)
    const fresh = isEnd ? all : this.#gathered(all)
    if (this.ended !== undefined || fresh.length === 0) return undefined
    const asked = this.#ask(fresh, shown)
    this.ended = asked.then(this.#end, this.#end)
    return asked
  }

  /** Those that somebody can be asked about now. */
  #gathered(pieces: readonly ShownPiece[]): readonly ShownPiece[] {
    const said = pieces.map(({ piece }) => piece.said ?? '')
    const text = said.join('')
    if (this.#gathers !== 'sentence') return text.length < this.#gathers ? [] : pieces
    const end = endOfSentences(text)
    let at = 0
    // What stands in the same event as the end of a sentence goes with it.
    const count = said.findIndex((words) => (at += words.length) >= end)
    return end === 0 ? [] : pieces.slice(0, count + 1)
  }

  #end = (): void => {
    this.ended = undefined
  }

  async #ask(fresh: readonly ShownPiece[], shown: number): Promise<void> {
    const { placeholders, rewrites } = this.#guards
    const lanes = [...new Set(fresh.map(({ lane }) => lane))].map((lane) => {
      const pieces = fresh.filter((one) => one.lane === lane).map(({ piece }) => piece)
      const said = pieces.map((piece) => piece.said ?? '').join('')
      // What may be written otherwise is shown once.
      const before = rewrites ? '' : lane.said.slice(Math.max(0, lane.passed - contextLength), lane.passed)
      const unit: TextUnit = { place: lane.place, text: placeholders.hide(before + said), isFixed: false }
      return { lane, pieces, said, unit, asked: unit.text }
    })
    this.#guards.shown = shown
    await this.#guards.examine(
      'output',
      lanes.map(({ unit }) => unit),
    )
    for (const { lane, pieces, said, unit, asked } of lanes) {
      if (unit.text !== asked) rewrite(lane, pieces, said.length, placeholders.restore(unit.text))
      else lane.passed += said.length
      for (const piece of pieces) piece.isPassed = true
    }
  }
}

/** All of it in the place of its first piece. */
function rewrite(lane: GuardedLane, pieces: readonly Piece[], length: number, text: string): void {
  for (const [at, piece] of pieces.entries()) piece.said = at === 0 ? text : ''
  lane.said = lane.said.slice(0, lane.passed) + text + lane.said.slice(lane.passed + length)
  lane.passed += text.length
}
