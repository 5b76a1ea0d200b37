/**
 * Changes one table of a TOML text, or one line that stands before all tables, and leaves the rest as it is. What it cannot see (a table
 * written as a value, dotted keys) makes it write something that means something else; whoever calls it reads the text back.
 */
import { tomlOf, type Entry } from '@turnward/contract/connect/entry'

type Path = readonly [string, ...string[]]

/** With the entry in the place of what is there. */
export function withTomlEntry(text: string, entry: Entry): string {
  const path = namesOf(entry.path)
  const lines = linesOf(text)
  const found = spanOf(lines, path, typeof entry.value === 'object')
  const added = tomlOf(entry).split('\n')
  if (found !== undefined) return joined([...lines.slice(0, found.from), ...added, ...lines.slice(found.to)])
  if (typeof entry.value !== 'object') return joined([...added, ...lines])
  return joined([...lines, ...(lines.length === 0 ? [] : ['']), ...added])
}

/** Without what is there. The text as it is when nothing is. */
export function withoutTomlEntry(text: string, path: Entry['path']): string {
  const lines = linesOf(text)
  const names = namesOf(path)
  const found = spanOf(lines, names, true) ?? spanOf(lines, names, false)
  if (found === undefined) return text
  const before = lines[found.from - 1] === '' && found.to >= lines.length ? found.from - 1 : found.from
  return joined([...lines.slice(0, before), ...lines.slice(found.to)])
}

/** Lines of the table of this name without the empty ones at its end, or the line of a key before all tables. */
function spanOf(lines: readonly string[], path: Path, isTable: boolean): { readonly from: number; readonly to: number } | undefined {
  const firstTable = headerAfter(lines, -1)
  if (!isTable) {
    const at = path.length > 1 ? -1 : lines.findIndex((line, index) => index < firstTable && keyOf(line) === path[0])
    return at < 0 ? undefined : { from: at, to: at + 1 }
  }
  const from = lines.findIndex((line) => headerOf(line) === path.join('\0'))
  if (from < 0) return undefined
  let to = headerAfter(lines, from)
  while (lines[to - 1]?.trim() === '') to -= 1
  return { from, to }
}

function headerAfter(lines: readonly string[], from: number): number {
  const at = lines.findIndex((line, index) => index > from && /^\s*\[/.test(line))
  return at < 0 ? lines.length : at
}

/** Names of a table's header, with nothing in quotes but whole names. */
function headerOf(line: string): string | undefined {
  const [, inner] = /^\s*\[([^[\]]+)\]\s*(?:#.*)?$/.exec(line) ?? []
  return inner
    ?.split('.')
    .map((name) => name.trim().replace(/^(["'])(.*)\1$/, '$2'))
    .join('\0')
}

function keyOf(line: string): string | undefined {
  return /^\s*["']?([\w-]+)["']?\s*=/.exec(line)?.[1]
}

function namesOf([first, ...rest]: Entry['path']): Path {
  return [first, ...rest.map((step) => (typeof step === 'string' ? step : step.id))]
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n')
}

function joined(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}
