/**
 * The result of a call in the shape that every client reads (server/tools, "Tool Result"). What a server wrote as it should
 * stays the same object; what is null is not there; what is of another type is kept as text, so that nobody loses it.
 */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { metaKeys } from '../codec/versions.ts'

/** The result with `content` a list of blocks, `isError` true or absent or false, `_meta` an object or absent. */
export function shapedResult(result: JsonObject): JsonObject {
  const { content, structuredContent, isError, _meta: meta } = result
  const isPlain =
    Array.isArray(content) &&
    content.every(isPlainBlock) &&
    structuredContent !== null &&
    (isError === undefined || typeof isError === 'boolean') &&
    (meta === undefined || isObject(meta))
  if (isPlain) return result
  const { content: _content, structuredContent: _structured, isError: _isError, _meta: _ofServer, ...rest } = result
  return {
    ...rest,
    content: blocksOf(content, structuredContent),
    ...(structuredContent === undefined || structuredContent === null ? {} : { structuredContent }),
    // An error that is said in another way is one all the same: what ran badly must not count as done.
    ...(isError === undefined || isError === null ? {} : { isError: !notErrors.has(isError) }),
    ...(isObject(meta) ? { _meta: meta } : {}),
  }
}

const notErrors = new Set<JsonValue>([false, 0, '', 'false'])

/** Blocks of an unknown type are left to clients; the known ones have what they need to be read. */
function isPlainBlock(block: JsonValue): boolean {
  if (!isObject(block) || typeof block.type !== 'string') return false
  if (block.type === 'text' && typeof block.text !== 'string') return false
  for (const key in block) if (block[key] === null) return false
  return true
}

function blocksOf(content: JsonValue | undefined, structured: JsonValue | undefined): JsonValue[] {
  if (content === undefined || content === null) return structured === undefined || structured === null ? [] : [textBlock(structured)]
  return (Array.isArray(content) ? content : [content]).flatMap((block) => (block === null ? [] : [blockOf(block)]))
}

function blockOf(block: JsonValue): JsonValue {
  if (isPlainBlock(block)) return block
  if (!isObject(block)) return textBlock(block)
  const known = Object.fromEntries(Object.entries(block).filter(([, value]) => value !== null))
  if (isPlainBlock(known)) return known
  if (known.type === undefined || known.type === 'text') {
    const { text, ...rest } = known
    if (typeof text === 'string' || Object.keys(rest).every((key) => key === 'type'))
      return { ...rest, type: 'text', text: typeof text === 'string' ? text : text === undefined ? '' : JSON.stringify(text) }
  }
  return textBlock(block)
}

function textBlock(value: JsonValue): JsonObject {
  return { type: 'text', text: typeof value === 'string' ? value : JSON.stringify(value) }
}

/** The result without what is of this hop only. */
export function finalResult(result: JsonObject): JsonObject {
  const { resultType: _type, ...rest } = result
  const { _meta: meta } = rest
  if (!isObject(meta) || !Object.hasOwn(meta, metaKeys.serverInfo)) return rest
  const { [metaKeys.serverInfo]: _server, ...kept } = meta
  if (Object.keys(kept).length > 0) return { ...rest, _meta: kept }
  const { _meta, ...withoutMeta } = rest
  return withoutMeta
}
