/** A value of another gateway's file: read as what it should be, and spoken of where it stands. What it is not is never guessed. */
import { pathText, type ConfigPath, type LocatedNode } from '../../../config/locate.ts'
import { leavesOf, type Ledger } from './findings.ts'

export class Foreign {
  readonly path: ConfigPath
  readonly #node: LocatedNode
  readonly #ledger: Ledger

  constructor(node: LocatedNode, ledger: Ledger, path: ConfigPath = []) {
    this.#node = node
    this.#ledger = ledger
    this.path = path
  }

  /** As a finding names it. */
  get at(): string {
    return pathText(this.path)
  }

  /** A value of a map. Undefined also where nothing is written after the key, which is then spoken of. */
  get(key: string): Foreign | undefined {
    const value = this.#node.kind === 'map' ? this.#node.entries.get(key)?.value : undefined
    if (value === undefined) return undefined
    const found = new Foreign(value, this.#ledger, [...this.path, key])
    if (value.kind !== 'scalar' || value.value !== null) return found
    found.left('nothing is written there')
    return undefined
  }

  /** The value at a path of keys. */
  within(...keys: readonly string[]): Foreign | undefined {
    return keys.reduce<Foreign | undefined>((found, key) => found?.get(key), this)
  }

  /** What a map holds; nothing for everything else. */
  entries(): readonly (readonly [string, Foreign])[] {
    if (this.#node.kind !== 'map') return []
    return [...this.#node.entries.keys()].flatMap((key) => {
      const value = this.get(key)
      return value === undefined ? [] : [[key, value] as const]
    })
  }

  /** What a list holds; nothing for everything else. */
  items(): readonly Foreign[] {
    if (this.#node.kind !== 'list') return []
    return this.#node.items.map((item, index) => new Foreign(item, this.#ledger, [...this.path, index]))
  }

  get isMap(): boolean {
    return this.#node.kind === 'map'
  }

  get isList(): boolean {
    return this.#node.kind === 'list'
  }

  /** A text, or a number as one. */
  text(): string | undefined {
    const value = this.#node.kind === 'scalar' ? this.#node.value : undefined
    return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined
  }

  /** A number, or a text that is one. */
  number(): number | undefined {
    const value = this.#node.kind === 'scalar' ? this.#node.value : undefined
    const number = typeof value === 'string' && /^-?\d{1,15}(?:\.\d{1,15})?(?:e[+-]?\d{1,3})?$/i.test(value) ? Number(value) : value
    return typeof number === 'number' && Number.isFinite(number) ? number : undefined
  }

  /** Yes or no, in the words of YAML 1.1 as well. */
  flag(): boolean | undefined {
    const value = this.#node.kind === 'scalar' ? this.#node.value : undefined
    if (typeof value === 'boolean') return value
    if (typeof value !== 'string') return undefined
    return /^(?:true|yes|on)$/i.test(value) ? true : /^(?:false|no|off)$/i.test(value) ? false : undefined
  }

  /** All of it stands in our file, at `to`. `why`: what is different there. */
  carried(to: string, why?: string): void {
    for (const [path] of leavesOf(this.#node, this.path)) this.#ledger.carried(path, to, why)
  }

  /** What of it nothing was said of does not stand in our file. */
  left(why: string): void {
    for (const [path] of leavesOf(this.#node, this.path)) this.#ledger.left(path, why)
  }

  note(text: string): void {
    this.#ledger.note(text)
  }
}

/** Speaks of the values under these keys that nothing here is like. */
export function leave(map: Foreign | undefined, reasons: Readonly<Record<string, string>>): void {
  for (const [key, value] of map?.entries() ?? []) {
    const why = Object.hasOwn(reasons, key) ? reasons[key] : undefined
    if (why !== undefined) value.left(why)
  }
}
