/** Where results name resources: what a tool embeds or links, what a prompt embeds, what is read. */
import { isObject, type JsonObject, type JsonValue } from '../core/json.ts'

/** The URI that is to stand in the place of one. */
export type ChangedUri = (uri: string) => string

/** The result of a tool. */
export function contentWithUris(result: JsonObject, changed: ChangedUri): JsonObject {
  const { content } = result
  return Array.isArray(content) ? { ...result, content: content.map((block) => blockWith(block, changed)) } : result
}

/** The result of `prompts/get`. */
export function messagesWithUris(result: JsonObject, changed: ChangedUri): JsonObject {
  const { messages } = result
  if (!Array.isArray(messages)) return result
  return {
    ...result,
    messages: messages.map((message) => (hasContent(message) ? { ...message, content: blockWith(message.content, changed) } : message)),
  }
}

/** The result of `resources/read`. */
export function contentsWithUris(result: JsonObject, changed: ChangedUri): JsonObject {
  const { contents } = result
  if (!Array.isArray(contents)) return result
  return { ...result, contents: contents.map((one) => (isObject(one) ? withUri(one, changed) : one)) }
}

/** Every URI that stands in such a place of a result, of whatever kind it is. */
export function urisOf(result: JsonObject): ReadonlySet<string> {
  const uris = new Set<string>()
  const collect = (uri: string): string => {
    uris.add(uri)
    return uri
  }
  for (const withUris of [contentWithUris, messagesWithUris, contentsWithUris]) withUris(result, collect)
  return uris
}

function hasContent(message: JsonValue): message is JsonObject & { content: JsonValue } {
  return isObject(message) && message.content !== undefined
}

function blockWith(block: JsonValue, changed: ChangedUri): JsonValue {
  if (!isObject(block)) return block
  if (block.type === 'resource_link') return withUri(block, changed)
  return block.type === 'resource' && isObject(block.resource) ? { ...block, resource: withUri(block.resource, changed) } : block
}

function withUri(named: JsonObject, changed: ChangedUri): JsonObject {
  const { uri } = named
  const own = typeof uri === 'string' ? changed(uri) : uri
  return own === uri || own === undefined ? named : { ...named, uri: own }
}
