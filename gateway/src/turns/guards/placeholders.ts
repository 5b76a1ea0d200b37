/**
 * What stands in a request in the place of what no vendor is to see. A placeholder is a keyed hash of what it stands for, so that a
 * conversation that is sent again has the same ones, on any replica, and nothing has to be kept: every request brings the originals.
 */
import { createHash } from 'node:crypto'
import { keyedHash } from '../../core/hash.ts'
import type { Finding, MakePlaceholder } from './guard.ts'

/** `[EMAIL_3fa94c1b]`; models leave out the brackets at times, or escape what Markdown would read. */
const written = /\\?\[?\b([A-Z]{2,12}(?:\\?_[A-Z]{2,12}){0,3})\\?_([0-9a-f]{10})\b\\?\]?/g
/** What may become one. */
const beginning = /\\$|(?:\\?\[|(?<![A-Za-z0-9])[A-Z])[A-Z\\_]{0,60}[0-9a-f]{0,10}\\?$/
const longest = 90

export class Placeholders {
  readonly #secret: Uint8Array
  readonly #conversation: string
  readonly #originals = new Map<string, string>()

  /** `conversation`: what they are the same in. */
  constructor(secret: Uint8Array, conversation: string) {
    this.#secret = secret
    this.#conversation = conversation
  }

  /** Whether anything is to be restored. */
  get isEmpty(): boolean {
    return this.#originals.size === 0
  }

  readonly make: MakePlaceholder = (kind, value) => {
    const hash = createHash('sha256')
      .update(keyedHash(this.#secret, 'placeholder', this.#conversation, kind, value))
      .digest('hex')
    const name = `${kind.toUpperCase()}_${hash.slice(0, 10)}`
    this.#originals.set(name, value)
    return `[${name}]`
  }

  /** Where placeholders of this call stand in a text, and what they stand for. */
  find(text: string): readonly Finding[] {
    if (this.isEmpty) return []
    return [...text.matchAll(written)].flatMap((match) => {
      const original = this.#originals.get(`${(match[1] ?? '').replaceAll('\\', '')}_${match[2] ?? ''}`)
      if (original === undefined) return []
      return [{ start: match.index, end: match.index + match[0].length, what: 'placeholder', instead: original }]
    })
  }

  /** The text with placeholders where originals stand. */
  hide(text: string): string {
    let hidden = text
    for (const [name, original] of this.#originals) hidden = hidden.replaceAll(original, () => `[${name}]`)
    return hidden
  }

  /** The text with originals where placeholders of this call stand. */
  restore(text: string): string {
    return this.find(text).reduceRight((said, { start, end, instead }) => said.slice(0, start) + instead + said.slice(end), text)
  }

  /** From where on a text may go on with one. */
  openFrom(text: string): number {
    if (this.isEmpty) return text.length
    const at = text.slice(-longest).search(beginning)
    return at < 0 ? text.length : Math.max(0, text.length - longest) + at
  }
}
