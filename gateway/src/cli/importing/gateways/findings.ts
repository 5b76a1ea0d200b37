/**
 * What became of every value of a file: carried over, changed in meaning, or not carried over. Values nobody spoke of are
 * findings too, so nothing is dropped without a word. Holds paths and reasons, never values.
 */
import { pathText, type ConfigPath, type LocatedNode } from '../../../config/locate.ts'

export type Outcome = 'carried' | 'changed' | 'not_carried'

export interface Finding {
  /** Where it stands in their file: `model_list[0].litellm_params.model`. */
  readonly at: string
  /** From 1. */
  readonly line: number
  readonly outcome: Outcome
  /** Where it stands in our file now. */
  readonly to: readonly string[]
  readonly why: readonly string[]
}

interface Leaf {
  readonly line: number
  outcome: Outcome | undefined
  readonly to: Set<string>
  readonly why: Set<string>
}

const unknown = 'nothing here is like it'

/** Every value of a document, and what was said of it. */
export class Ledger {
  readonly #leaves = new Map<string, Leaf>()
  readonly #notes = new Set<string>()

  constructor(root: LocatedNode) {
    for (const [path, node] of leavesOf(root, [])) {
      const { line } = node.spot.file.lines.linePos(node.spot.offset)
      this.#leaves.set(pathText(path), { line: Math.max(1, line), outcome: undefined, to: new Set(), why: new Set() })
    }
  }

  /** It stands in our file, at `to`. `why`: what is different there. */
  carried(path: ConfigPath, to: string, why?: string): void {
    const leaf = this.#leaves.get(pathText(path))
    if (leaf === undefined) return
    if (leaf.outcome === 'not_carried') leaf.why.clear()
    leaf.outcome = why === undefined && leaf.outcome !== 'changed' ? 'carried' : 'changed'
    leaf.to.add(to)
    if (why !== undefined) leaf.why.add(why)
  }

  /** It does not stand in our file, unless something else was said of it before. */
  left(path: ConfigPath, why: string): void {
    const leaf = this.#leaves.get(pathText(path))
    if (leaf === undefined || leaf.outcome !== undefined) return
    leaf.outcome = 'not_carried'
    leaf.why.add(why)
  }

  /** What a person should know that is about no single value. */
  note(text: string): void {
    this.#notes.add(text)
  }

  get notes(): readonly string[] {
    return [...this.#notes]
  }

  /** One for each value, in the order of the file. */
  findings(): readonly Finding[] {
    return [...this.#leaves].map(([at, { line, outcome = 'not_carried', to, why }]) => ({
      at,
      line,
      outcome,
      to: [...to],
      why: outcome === 'not_carried' && why.size === 0 ? [unknown] : [...why],
    }))
  }
}

/** Values, and maps and lists that hold nothing. */
export function* leavesOf(node: LocatedNode, path: ConfigPath): Generator<readonly [ConfigPath, LocatedNode]> {
  if (node.kind === 'map' && node.entries.size > 0) for (const [key, { value }] of node.entries) yield* leavesOf(value, [...path, key])
  else if (node.kind === 'list' && node.items.length > 0)
    for (const [index, item] of node.items.entries()) yield* leavesOf(item, [...path, index])
  else yield [path, node]
}
