/**
 * Agents offer the same tools with every call. This keeps the texts of recent lists with what they were read to, so that
 * a list that comes again, byte for byte, is neither checked nor parsed again. An owner finds its own lists only.
 */
import { BoundedMap } from '../../core/bounded-map.ts'
import { deepFreeze } from '../../core/freeze.ts'
import type { JsonValue } from '../../core/json.ts'

/** A list of tools that was checked and parsed. */
interface KnownList {
  readonly text: string
  /** Deeply frozen, because every request that carries the text gets this one. Undefined until the text has come twice. */
  value: JsonValue | undefined
  /** Keys inside of it. */
  readonly keys: number
  /** The depth its check allowed. */
  readonly maxDepth: number
}

/** Where the list `tools` at the top of a body lies, in characters of its text. One for each body; a scan fills it in. */
export class ToolsPlace {
  /** The text it lies in; undefined when there was no list. */
  text: string | undefined
  /** At the bracket that opens the list. */
  start = 0
  /** After the one that closes it; 0 when it was not closed. */
  end = 0
  /** Keys inside of it. */
  keys = 0
  /** What the list is known to say; the scan went on behind it then. */
  value: JsonValue | undefined
  readonly maxDepth: number
  readonly #lists: readonly KnownList[]

  constructor(lists: readonly KnownList[], maxDepth: number) {
    this.#lists = lists
    this.maxDepth = maxDepth
  }

  /** True when the list that begins at `start` is known. */
  find(text: string, start: number): boolean {
    this.text = text
    this.start = start
    for (const list of this.#lists) {
      if (list.value === undefined || list.maxDepth !== this.maxDepth || !hasAt(text, start, list.text)) continue
      this.value = list.value
      this.keys = list.keys
      this.end = start + list.text.length
      return true
    }
    return false
  }
}

/** Longer lists are read each time. */
const longestList = 256 * 1024
/** Lists that one owner may have in use at a time. */
const mostLists = 4
const mostOwners = 10_000
/** How much is kept of all owners together, in characters; what they were parsed to takes some times as much. */
const defaultCapacity = 4 * 1024 * 1024

export class KnownTools {
  /** By owner, the newest list first. */
  readonly #lists: BoundedMap<string, readonly KnownList[]>

  constructor(capacity: number = defaultCapacity) {
    this.#lists = new BoundedMap({ most: mostOwners, maxBytes: capacity })
  }

  /** For one body of this owner. */
  placeFor(owner: string, maxDepth: number): ToolsPlace {
    return new ToolsPlace(this.#lists.get(owner) ?? none, maxDepth)
  }

  /** Takes in the list of a body that was read without error, unless it was known; `value` is what it was parsed to. */
  learn(owner: string, { text, start, end, keys, maxDepth, value: known }: ToolsPlace, value: JsonValue | undefined): void {
    const length = end - start
    if (known !== undefined || text === undefined || value === undefined || length <= 0 || length > longestList) return
    const lists = this.#lists.get(owner) ?? none
    const seen = lists.find((list) => list.maxDepth === maxDepth && list.text.length === length && hasAt(text, start, list.text))
    if (seen !== undefined) {
      seen.value = deepFreeze(value)
      return
    }
    const kept = [{ text: copyOf(text.slice(start, end)), value: undefined, keys, maxDepth }, ...lists.slice(0, mostLists - 1)]
    this.#lists.set(owner, kept, { size: kept.reduce((sum, list) => sum + list.text.length, 0) })
  }
}

// Compared as one block of memory; `startsWith` goes letter by letter.
function hasAt(text: string, start: number, part: string): boolean {
  return text.slice(start, start + part.length) === part
}

const none: readonly KnownList[] = []

/** The same text with memory of its own: a slice would keep the whole body. */
function copyOf(text: string): string {
  return Buffer.from(text).toString()
}
