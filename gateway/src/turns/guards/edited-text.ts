/** A text in which parts were replaced, one guard after the other, and which still knows what stood where in the original. */

interface Segment {
  /** In the original. */
  readonly start: number
  readonly end: number
  readonly text: string
  readonly isEdited: boolean
}

/** A part of the original, and what stands there instead. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

export class EditedText {
  #segments: readonly Segment[]

  constructor(original: string) {
    this.#segments = [{ start: 0, end: original.length, text: original, isEdited: false }]
  }

  get text(): string {
    return this.#segments.map(({ text }) => text).join('')
  }

  /** In the original, from the left. */
  get edits(): readonly Edit[] {
    return this.#segments.filter(({ isEdited }) => isEdited)
  }

  /** Replaces a part, in the coordinates of `text` as it is now. What was replaced there before becomes a part of it. */
  replace(start: number, end: number, by: string): void {
    const before: Segment[] = []
    const after: Segment[] = []
    let [from, to, text] = [Infinity, 0, by]
    let at = 0
    for (const segment of this.#segments) {
      const next = at + segment.text.length
      if (next <= start && !(segment.text === '' && next === start && at === start)) before.push(segment)
      else if (at >= end) after.push(segment)
      else {
        const head = segment.text.slice(0, Math.max(0, start - at))
        const tail = segment.text.slice(Math.min(segment.text.length, end - at))
        if (segment.isEdited) {
          text = head + text + tail
          from = Math.min(from, segment.start)
          to = Math.max(to, segment.end)
        } else {
          if (head !== '') before.push({ start: segment.start, end: segment.start + head.length, text: head, isEdited: false })
          if (tail !== '') after.push({ start: segment.end - tail.length, end: segment.end, text: tail, isEdited: false })
          from = Math.min(from, segment.start + head.length)
          to = Math.max(to, segment.end - tail.length)
        }
      }
      at = next
    }
    if (from === Infinity) return
    this.#segments = [...before, { start: from, end: to, text, isEdited: true }, ...after]
  }

  /** Where in the original a place of `text` is; within what was replaced, where that begins. */
  originalOf(place: number): number {
    let at = 0
    for (const segment of this.#segments) {
      const next = at + segment.text.length
      if (place < next) return segment.isEdited ? segment.start : segment.start + place - at
      at = next
    }
    return this.#segments.at(-1)?.end ?? 0
  }

  /** Where in `text` a place of the original is; within what was replaced, where that ends. */
  placeOf(original: number): number {
    let at = 0
    for (const segment of this.#segments) {
      if (original < segment.end)
        return segment.isEdited ? (original <= segment.start ? at : at + segment.text.length) : at + original - segment.start
      at += segment.text.length
    }
    return at
  }
}
