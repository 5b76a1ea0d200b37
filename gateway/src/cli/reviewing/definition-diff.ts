/**
 * What differs between two definitions of a tool, line by line, for somebody who decides on it. All of it is shown: a server
 * may put what matters at the end. Characters that a terminal would hide or act on are spelled out, because they can carry
 * text that a model reads and a person does not see. Pure.
 */
import { isObject, type JsonValue } from '../../core/json.ts'

/** Control and format characters, separators of lines, what is drawn as nothing, what is no character. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Cn}\p{Default_Ignorable_Code_Point}]/gu

/** Text from outside as it can be read in a terminal: nothing of it disappears. */
export function spelledOut(text: string): string {
  return text.replace(unseen, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
}

/** A value that differs: where it stands, and its lines, each behind `- ` or `+ `; those that stay are counted in one of their own. */
export interface DefinitionChange {
  readonly path: string
  readonly lines: readonly string[]
}

/** What differs; `before` is undefined for a tool that is new. */
export function definitionChanges(before: JsonValue | undefined, after: JsonValue): readonly DefinitionChange[] {
  const [old, now] = [leaves(before), leaves(after)]
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((path) => {
    const [was, is] = [old.get(path), now.get(path)]
    if (was !== undefined && is !== undefined && JSON.stringify(was) === JSON.stringify(is)) return []
    return [{ path, lines: changedLines(linesOf(was), linesOf(is), typeof was === typeof is) }]
  })
}

/** The same as lines of a terminal. */
export function definitionDiff(before: JsonValue | undefined, after: JsonValue): readonly string[] {
  return definitionChanges(before, after).flatMap(({ path, lines }) => [
    `  ${path}`,
    ...lines.map((line) => (/^[-+]/.test(line) ? `    ${line}` : `      ${line}`)),
  ])
}

/** A definition as JSON that a person can read whole: what nobody sees is spelled out. */
export function definitionText(definition: JsonValue): string {
  return JSON.stringify(definition, null, 2).split('\n').map(spelledOut).join('\n')
}

/** Every value of a definition that has no others in it, by its path. */
function leaves(value: JsonValue | undefined, path = '', found = new Map<string, JsonValue>()): Map<string, JsonValue> {
  if (value === undefined) return found
  const entries: [string, JsonValue][] = Array.isArray(value)
    ? value.map((one, at) => [String(at), one])
    : isObject(value)
      ? Object.entries(value)
      : []
  if (entries.length === 0) found.set(path, value)
  for (const [name, one] of entries) {
    const own = /^\w+$/.test(name) ? name : spelledOut(JSON.stringify(name))
    leaves(one, path === '' ? own : `${path}.${own}`, found)
  }
  return found
}

function linesOf(value: JsonValue | undefined): readonly string[] {
  if (value === undefined) return []
  return (typeof value === 'string' ? value.split('\n') : [JSON.stringify(value)]).map(spelledOut)
}

/** Lines that both begin and end with are left out, of two values of one type. */
function changedLines(was: readonly string[], is: readonly string[], isSameType: boolean): readonly string[] {
  const shorter = isSameType ? Math.min(was.length, is.length) : 0
  let start = 0
  while (start < shorter && was[start] === is[start]) start += 1
  let end = 0
  while (end < shorter - start && was.at(-1 - end) === is.at(-1 - end)) end += 1
  const left = (count: number): readonly string[] => (count === 0 ? [] : [`(${count} ${count === 1 ? 'line' : 'lines'} as before)`])
  return [
    ...left(start),
    ...was.slice(start, was.length - end).map((line) => `- ${line}`),
    ...is.slice(start, is.length - end).map((line) => `+ ${line}`),
    ...left(end),
  ]
}
