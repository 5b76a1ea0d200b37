/**
 * The configuration as a tree that remembers where every key and value was written, so that each later
 * problem can point at its line and column. It never interprets values.
 */
import type { LineCounter } from 'yaml'

/** One file that was read. */
export interface SourceFile {
  /** Absolute. */
  readonly path: string
  readonly text: string
  readonly lines: LineCounter
  /** Its lines are never quoted: whoever wrote them may have put a secret there. */
  readonly isPrivate?: boolean
}

/** A place in a file: offset in UTF-16 units. */
export interface Spot {
  readonly file: SourceFile
  readonly offset: number
}

export interface ScalarNode {
  readonly kind: 'scalar'
  readonly spot: Spot
  value: string | number | boolean | null
  /** Nothing was written after the key: `name:`. */
  readonly empty: boolean
  /** `whole`: the scalar is exactly one `${…}` reference, so its text may stand for a number or boolean. */
  interpolated: 'no' | 'part' | 'whole'
  /** The text with its references, where it had any. */
  written?: string
  /** A reference in it could not be resolved; that is already reported. */
  broken: boolean
}

export interface ListNode {
  readonly kind: 'list'
  readonly spot: Spot
  readonly items: LocatedNode[]
}

export interface MapEntry {
  readonly key: Spot
  readonly value: LocatedNode
}

export interface MapNode {
  readonly kind: 'map'
  readonly spot: Spot
  readonly entries: Map<string, MapEntry>
  /** What it is called, as an item of a list that knows no names. */
  readonly name?: string
}

export type LocatedNode = ScalarNode | ListNode | MapNode

export type ConfigPath = readonly PropertyKey[]

function child(node: LocatedNode, step: PropertyKey): { readonly key: Spot; readonly value: LocatedNode } | undefined {
  if (node.kind === 'map') return node.entries.get(String(step))
  const item = node.kind === 'list' && typeof step === 'number' ? node.items[step] : undefined
  return item && { key: item.spot, value: item }
}

/** The node at a path, or undefined when the file has none there. */
export function nodeAt(root: LocatedNode, path: ConfigPath): LocatedNode | undefined {
  let node: LocatedNode | undefined = root
  for (const step of path) node = node && child(node, step)?.value
  return node
}

/**
 * Where a path was written: its key, or its value. A path that is not in the file gives the key of its
 * nearest ancestor, which is where something is missing.
 */
export function spotOf(root: LocatedNode, path: ConfigPath, where: 'key' | 'value'): Spot {
  let node = root
  let key = root.spot
  for (const step of path) {
    const next = child(node, step)
    if (next === undefined) return key
    node = next.value
    key = next.key
  }
  return where === 'key' || (node.kind === 'scalar' && node.empty) ? key : node.spot
}

/** The tree as plain data for the schema. */
export function plainValue(node: LocatedNode): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(plainValue)
  const value: Record<string, unknown> = {}
  for (const [key, entry] of node.entries) value[key] = plainValue(entry.value)
  return value
}

/** The tree as it was written, with its references. */
export function writtenValue(node: LocatedNode): unknown {
  if (node.kind === 'scalar') return node.written ?? node.value
  if (node.kind === 'list') return node.items.map(writtenValue)
  return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, writtenValue(value)]))
}

/** `routes[0].upstreams[1]`, `servers.web.url`, `contracts["a.b"]`. */
export function pathText(path: ConfigPath): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (/^[\w*-]+$/.test(String(step))) text += text === '' ? String(step) : `.${String(step)}`
    else text += `[${JSON.stringify(String(step))}]`
  }
  return text
}
