/**
 * What stands for a result that no model reads: `⟦handle:h_… kind=result bytes=3182 from=web__fetch⟧`. It can be passed on as an
 * argument, whole or a part of it (`⟦handle:h_…#lines=3-9⟧`). Nothing in it is of the result but its size.
 */
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { isObject } from '../../core/json.ts'

const idPattern = 'h_[A-Za-z0-9_-]{22}'
const written = new RegExp(`⟦handle:(${idPattern})(?:#([^\\s⟦⟧]{1,200}))?(?: [^⟦⟧]{0,200})?⟧`, 'gu')
const alone = new RegExp(`^(?:handle:)?(${idPattern})(?:#([^\\s⟦⟧]{1,200}))?$`)
/** Deeper than any schema of a tool. */
const deepest = 64

/** A handle, and which part of what it stands for is meant. */
export interface HandleReference {
  readonly id: string
  /** `lines=3-9`, `links=2`, `/json/pointer`; undefined: all of it. */
  readonly slice: string | undefined
}

/** `hash`: at least 22 characters of base64url that nobody can guess. */
export function handleId(hash: string): string {
  return `h_${hash.slice(0, 22)}`
}

/** What a model reads in place of the result. */
export function handleText({ id, bytes, from }: { readonly id: string; readonly bytes: number; readonly from: string }): string {
  return `⟦handle:${id} kind=result bytes=${bytes} from=${from.replace(/[^\w./:@-]/g, '_').slice(0, 128)}⟧`
}

/** The one handle that a text is, however it is written; undefined when it is something else or more. */
export function readHandle(text: string): HandleReference | undefined {
  const bare = alone.exec(text.trim())
  if (bare?.[1] !== undefined) return { id: bare[1], slice: bare[2] }
  const [only, ...others] = text.matchAll(written)
  return only?.[1] === undefined || others.length > 0 || only[0] !== text.trim() ? undefined : { id: only[1], slice: only[2] }
}

/** Every handle in a value, also inside longer texts. */
export function handlesIn(value: JsonValue | undefined): readonly HandleReference[] {
  const found = new Map<string, HandleReference>()
  const look = (text: string): string => {
    for (const [, id = '', slice] of text.matchAll(written)) found.set(`${id}#${slice ?? ''}`, { id, slice })
    return text
  }
  if (value !== undefined) mapTexts(value, look, 0)
  return [...found.values()]
}

/** A value with what handles stand for in their places. `content`: undefined leaves a handle as it is. */
export function withContents(args: JsonObject, content: (handle: HandleReference) => string | undefined): JsonObject {
  const put = (text: string): string => text.replace(written, (all, id: string, slice: string | undefined) => content({ id, slice }) ?? all)
  return mapTexts(args, put, 0) as JsonObject
}

function mapTexts(value: JsonValue, change: (text: string) => string, depth: number): JsonValue {
  if (typeof value === 'string') return change(value)
  if (depth > deepest) return value
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change, depth + 1))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTexts(item, change, depth + 1)]))
}
