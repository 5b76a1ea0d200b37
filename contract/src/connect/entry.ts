/** What connecting a client puts into a file of its configuration, and how that reads in the file's own format. */

export type Plain = string | number | boolean | readonly Plain[] | { readonly [key: string]: Plain }

/** A key of an object; or the item of a list that has this `id`, which is the last of the list where it has none. */
export type Step = string | { readonly id: string }

export interface Entry {
  readonly path: readonly [string, ...Step[]]
  readonly value: Plain
}

export type Format = 'json' | 'toml'

/** A file that has the entries and nothing else. */
export function fileOf(format: Format, entries: readonly Entry[]): string {
  return format === 'json' ? JSON.stringify(objectOf(entries), null, 2) : entries.map(tomlOf).join('\n')
}

type Node = Record<string, unknown>

function objectOf(entries: readonly Entry[]): Node {
  const root: Node = {}
  for (const { path, value } of entries) {
    let at: Node | unknown[] = root
    for (const [index, step] of path.entries()) {
      const next = path[index + 1]
      const inner: unknown = next === undefined ? value : typeof next === 'string' ? {} : []
      if (Array.isArray(at)) at.push(inner)
      else if (typeof step === 'string') at = (at[step] ??= inner) as Node | unknown[]
    }
  }
  return root
}

/** A table with what stands in it, or a line of the file itself. */
export function tomlOf({ path, value }: Entry): string {
  const name = path.map((step) => (typeof step === 'string' ? tomlKey(step) : tomlKey(step.id))).join('.')
  if (typeof value !== 'object' || Array.isArray(value)) return `${name} = ${tomlValue(value)}`
  return [`[${name}]`, ...Object.entries(value).map(([key, inner]) => `${tomlKey(key)} = ${tomlValue(inner as Plain)}`)].join('\n')
}

function tomlKey(key: string): string {
  return /^[\w-]+$/.test(key) ? key : JSON.stringify(key)
}

/** What JSON writes of these is TOML as well, but for objects. */
function tomlValue(value: Plain): string {
  if (typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((one: Plain) => tomlValue(one)).join(', ')}]`
  return `{ ${Object.entries(value)
    .map(([key, inner]) => `${tomlKey(key)} = ${tomlValue(inner as Plain)}`)
    .join(', ')} }`
}
