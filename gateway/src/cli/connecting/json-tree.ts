/** Where the parts of a JSON text stand. Comments and trailing commas are passed over, as editors that write such files do. */

export interface JsonNode {
  readonly start: number
  readonly end: number
  /** Of an object or a list, in their order; undefined for any other value. */
  readonly members: readonly JsonMember[] | undefined
  readonly isList: boolean
}

export interface JsonMember {
  /** Undefined in a list. */
  readonly key: string | undefined
  /** Where its key begins, or in a list its value. */
  readonly start: number
  readonly value: JsonNode
}

const deepest = 64

/** The outermost value; undefined when there is none in the text. Throws an Error that quotes nothing when it is not such a text. */
export function jsonTree(text: string): JsonNode | undefined {
  const reader = new Reader(text)
  reader.pass()
  if (reader.at === text.length) return undefined
  const root = reader.value(0)
  reader.pass()
  if (reader.at < text.length) throw new Error('has more than one value')
  return root
}

class Reader {
  readonly #text: string
  at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** White space and comments. */
  pass(): void {
    const quiet = /(?:[\s\uFEFF]+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y
    quiet.lastIndex = this.at
    this.at += quiet.exec(this.#text)?.[0].length ?? 0
  }

  value(depth: number): JsonNode {
    if (depth > deepest) throw new Error(`is nested more than ${deepest} levels deep`)
    const first = this.#text[this.at]
    if (first === '{' || first === '[') return this.#container(depth, first === '[')
    const start = this.at
    if (first === '"') this.#take(/"(?:[^"\\]|\\[\s\S])*"/y)
    else this.#take(/[^\s,:{}[\]"'/]+/y)
    return { start, end: this.at, members: undefined, isList: false }
  }

  #container(depth: number, isList: boolean): JsonNode {
    const start = this.at
    const close = isList ? ']' : '}'
    const members: JsonMember[] = []
    this.at += 1
    for (this.pass(); this.#text[this.at] !== close; this.pass()) {
      const begin = this.at
      const key = isList ? undefined : this.#key()
      members.push({ key, start: begin, value: this.value(depth + 1) })
      this.pass()
      if (this.#text[this.at] === ',') this.at += 1
      else if (this.#text[this.at] !== close) throw new Error('is not JSON')
    }
    this.at += 1
    return { start, end: this.at, members, isList }
  }

  #key(): string {
    const key: unknown = JSON.parse(this.#take(/"(?:[^"\\\n]|\\.)*"/y))
    this.pass()
    this.#take(/:/y)
    this.pass()
    return String(key)
  }

  #take(what: RegExp): string {
    what.lastIndex = this.at
    const found = what.exec(this.#text)?.[0]
    if (found === undefined) throw new Error('is not JSON')
    this.at += found.length
    return found
  }
}
