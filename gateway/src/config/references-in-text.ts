/** Finds `${…}` in a value. Pure: what a reference stands for is somebody else's to know. */

export type Reference =
  | { readonly source: string; readonly file: string }
  /** `fallback`: what stands after `:-`, with references of its own. */
  | { readonly source: string; readonly name: string; readonly fallback: readonly Part[] | undefined }

export type Part = string | Reference

/** Defaults inside of defaults. */
const deepest = 8

const unknown = 'not a reference: use `${NAME}`, `${NAME:-default}` or `${file:path}`, or `$${` for the characters themselves'
const unclosed = 'a `${` is never closed; write `$${` for the characters themselves'

class Problem extends Error {}

/** The text in its parts, `$$` read as `$`; or why it cannot be read. */
export function parseReferences(text: string): readonly Part[] | { readonly problem: string } {
  try {
    return new Reader(text).parts(0)
  } catch (error) {
    if (error instanceof Problem) return { problem: error.message }
    throw error
  }
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Up to the end, or inside a default up to the brace that closes it. */
  parts(depth: number): readonly Part[] {
    if (depth > deepest) throw new Problem(`defaults are nested more than ${deepest} levels deep`)
    const parts: Part[] = []
    let plain = ''
    while (this.#at < this.#text.length && !(depth > 0 && this.#text[this.#at] === '}')) {
      if (this.#text.startsWith('$$', this.#at)) {
        plain += '$'
        this.#at += 2
      } else if (this.#text.startsWith('${', this.#at)) {
        if (plain !== '') parts.push(plain)
        plain = ''
        parts.push(this.#reference(depth))
      } else {
        plain += this.#text[this.#at]
        this.#at += 1
      }
    }
    if (plain !== '') parts.push(plain)
    return parts
  }

  #reference(depth: number): Reference {
    const start = this.#at
    this.#at += 2
    const rest = this.#text.slice(this.#at)
    if (rest.startsWith('file:')) {
      const end = rest.indexOf('}')
      if (end < 0) throw new Problem(unclosed)
      const file = rest.slice('file:'.length, end)
      if (file.includes('${')) throw new Problem('the path of a file cannot hold a reference')
      this.#at += end + 1
      return { source: this.#text.slice(start, this.#at), file }
    }
    const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(rest)?.[0]
    if (name === undefined) throw new Problem(rest.includes('}') ? unknown : unclosed)
    this.#at += name.length
    let fallback: readonly Part[] | undefined
    if (this.#text.startsWith(':-', this.#at)) {
      this.#at += 2
      fallback = this.parts(depth + 1)
    }
    if (this.#at >= this.#text.length) throw new Problem(unclosed)
    if (this.#text[this.#at] !== '}') throw new Problem(rest.includes('}') ? unknown : unclosed)
    this.#at += 1
    return { source: this.#text.slice(start, this.#at), name, fallback }
  }
}
