/** Parts of a text that code finds in it: its links, addresses and lines, each in its order, and places in JSON. */
import type { JsonValue } from '../../core/json.ts'
import { stepsOf, valueAt } from '../../core/json-pointer.ts'
import { parseJson } from '../../core/parse-json.ts'

/** More of a kind are not counted. */
export const mostItems = 4096

const finders: Readonly<Record<string, (text: string) => readonly string[]>> = {
  links: (text) => matches(text, /\bhttps?:\/\/[^\s<>"'`⟦⟧)\]}]{1,2000}/giu),
  addresses: (text) => matches(text, /[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,8}/gu),
  lines: (text) => text.split(/\r?\n/, mostItems + 1),
}

function matches(text: string, pattern: RegExp): string[] {
  const found: string[] = []
  for (const [match] of text.matchAll(pattern)) {
    // What ends a sentence ends no link.
    const one = match.replace(/[.,;:!?]+$/, '')
    if (!found.includes(one)) found.push(one)
    if (found.length >= mostItems) break
  }
  return found
}

/** Items of this kind in a text, each once but for lines; undefined for a kind there is not. */
export function itemsOf(text: string, kind: string): readonly string[] | undefined {
  return Object.hasOwn(finders, kind) ? finders[kind]?.(text).slice(0, mostItems) : undefined
}

/** The part of a text that a slice means: `lines=3-9`, `links=2`, `/a/0/b`. Undefined: there is no such part. */
export function sliceOf(text: string, slice: string): string | undefined {
  if (slice.startsWith('/')) return pointed(text, slice)
  const [, kind = '', first = '', last = first] = /^([a-z]+)=(\d{1,6})(?:-(\d{1,6}))?$/.exec(slice) ?? []
  const items = itemsOf(text, kind)
  const [from, to] = [Number(first), Number(last)]
  if (items === undefined || from < 1 || to < from || to > items.length) return undefined
  return items.slice(from - 1, to).join('\n')
}

/** RFC 6901. Text as it is, everything else as JSON. */
function pointed(text: string, pointer: string): string | undefined {
  let value: JsonValue | undefined
  try {
    value = parseJson(text) as JsonValue
  } catch {
    return undefined
  }
  value = valueAt(value, stepsOf(pointer))
  if (value === undefined) return undefined
  return typeof value === 'string' ? value : JSON.stringify(value)
}
