/**
 * One text of a streamed answer on its way past the guards. It is let out in the pieces it came in, each once it is certain that
 * nothing begins in it that a guard would find: what is held back is what may still become something.
 */
import type { Guard } from '../../config/snapshot.ts'
import { type Edit, EditedText } from './edited-text.ts'
import type { Finding, Place } from './guard.ts'
import { openGuard } from './guard-kinds.ts'
import type { GuardsOfCall } from './guards-of-call.ts'
import { reads } from './what-guards-read.ts'

/** Words of an event. */
export interface Piece {
  /** As they came. */
  readonly came: string
  /** As they go out, once they may. */
  said: string | undefined
  /** Whoever is asked about them has nothing against them. */
  isPassed?: boolean
  /** They are told again. */
  readonly isAgain?: boolean
}

/** What has gone out is looked at again together with what comes, this much of it. */
const contextLength = 128
/** Characters that must have come for another look: looking at each word by itself would cost more than the words. */
const enoughToLook = 32
/** What is written otherwise as a whole is not longer: where more waits, it goes out as it is decided by then. */
const mostPending = 64 * 1024

export class GuardedLane {
  readonly #guards: GuardsOfCall
  readonly place: Place
  /** What has gone out last, as it came. */
  #context = ''
  #pieces: Piece[] = []
  #pending = ''
  /** All of the text that is decided, as it came and as it goes out: some dialects tell it again as a whole. */
  came = ''
  said = ''
  /** How much of `said` nobody needs to be asked about any more. */
  passed = 0
  /** Characters that have come since the last look. */
  #grown = 0

  constructor(guards: GuardsOfCall, place: Place) {
    this.#guards = guards
    this.place = place
  }

  add(came: string): Piece {
    const piece: Piece = { came, said: came === '' && this.#pieces.length === 0 ? '' : undefined }
    if (piece.said === undefined) this.#pieces.push(piece)
    this.#pending += came
    this.#grown += came.length
    return piece
  }

  /** Lets out what may go out. `isEnd`: nothing more comes. `shown`: characters of the answer that have gone out. Throws `guard.answer_refused`. */
  look(isEnd: boolean, shown: number): void {
    if (this.#pieces.length === 0 || (this.#grown < enoughToLook && !isEnd)) return
    this.#grown = 0
    const window = new Window(this.#context, this.#pending)
    let open = isEnd ? Infinity : window.length
    const notes: Note[] = []
    for (const guard of this.#guards.output) {
      const { inspector } = openGuard(guard)
      if (inspector === undefined || !reads(guard, this.place)) continue
      const found = window.fresh(this.#guards.find(guard, 'output', window.text))
      // Whatever it is, the answer ends before it.
      if (found.length > 0 && guard.config.mode === 'block') throw this.#guards.refuse(guard, 'output', found, shown)
      for (const finding of found) notes.push({ guard, finding, end: window.originalOf(finding.end - 1) + 1 })
      if (!isEnd) open = Math.min(open, window.originalOf(inspector.openFrom(window.text)))
      if (guard.config.mode === 'redact' && this.place !== 'thought') window.replace(found)
    }
    const { placeholders } = this.#guards
    if (this.place !== 'thought' && !placeholders.isEmpty) {
      if (!isEnd) open = Math.min(open, window.originalOf(placeholders.openFrom(window.text)))
      window.replace(window.fresh(placeholders.find(window.text)))
    }
    this.#letOut(window, this.#pending.length > mostPending ? Infinity : open, notes)
  }

  #letOut({ edits, begin }: Window, open: number, notes: readonly Note[]): void {
    // Pieces go out whole, and nothing that is written otherwise goes out in part.
    let count = 0
    let end = begin
    let at = begin
    for (let index = 0; index < this.#pieces.length; index += 1) {
      at += this.#pieces[index]?.came.length ?? 0
      if (at > open) break
      if (edits.some((edit) => edit.start < at && edit.end > at)) continue
      count = index + 1
      end = at
    }
    if (count === 0) return
    for (const { guard, finding, end: last } of notes) if (last <= end) this.#guards.note(guard, 'output', modeOf(guard), [finding])
    let start = begin
    for (const piece of this.#pieces.splice(0, count)) {
      piece.said = edits.length === 0 ? piece.came : saidIn(edits, piece.came, start)
      start += piece.came.length
      this.came += piece.came
      this.said += piece.said
    }
    const out = end - begin
    this.#context = (this.#context + this.#pending.slice(0, out)).slice(-contextLength)
    this.#pending = this.#pending.slice(out)
  }
}

/** Something that was found, and where in the window it ends. */
interface Note {
  readonly guard: Guard
  readonly finding: Finding
  readonly end: number
}

/** What is looked at: what went out last, which stays as it is, and what waits. Most of the time nothing in it is written otherwise. */
class Window {
  readonly begin: number
  readonly length: number
  readonly #original: string
  #edited: EditedText | undefined

  constructor(context: string, pending: string) {
    this.#original = context + pending
    this.begin = context.length
    this.length = this.#original.length
  }

  get text(): string {
    return this.#edited?.text ?? this.#original
  }

  get edits(): readonly Edit[] {
    return this.#edited?.edits ?? noEdits
  }

  originalOf(place: number): number {
    return this.#edited?.originalOf(place) ?? Math.min(place, this.length)
  }

  /** Those that are not all in what has gone out. */
  fresh(found: readonly Finding[]): readonly Finding[] {
    if (found.length === 0) return found
    const from = this.#edited?.placeOf(this.begin) ?? this.begin
    return found.filter(({ end }) => end > from)
  }

  replace(found: readonly Finding[]): void {
    if (found.length === 0) return
    this.#edited ??= new EditedText(this.#original)
    const from = this.#edited.placeOf(this.begin)
    for (const { start, end, instead } of found.toReversed()) this.#edited.replace(Math.max(start, from), end, instead)
  }
}

const noEdits: readonly Edit[] = []

function modeOf({ config }: Guard): 'redact' | 'warn' {
  return config.mode === 'redact' ? 'redact' : 'warn'
}

/** A piece that begins at `start`, with the edits in it: what stands instead of something goes out where that began. */
function saidIn(edits: readonly Edit[], came: string, start: number): string {
  const end = start + came.length
  let said = ''
  let at = start
  for (const edit of edits) {
    if (edit.end <= start || edit.start >= end) continue
    said += came.slice(at - start, Math.max(at, edit.start) - start)
    if (edit.start >= start) said += edit.text
    at = Math.min(end, edit.end)
  }
  return said + came.slice(at - start)
}
