/**
 * Resources inside results: what a server embeds or links is named as clients of the gateway can read it. Where its own URI
 * means it, which is nearly always, nothing changes.
 */
import { isObject, type JsonObject, type JsonValue } from '../core/json.ts'
import type { CallerFleet } from '../tools/catalogue.ts'

/** The URI that clients know for one of the server's. */
export type ShownUri = (uri: string) => string

/** How clients of a gateway read what a server names. */
export async function shownUris(fleet: CallerFleet, gateway: string, server: string): Promise<ShownUri> {
  const { reads } = await fleet.catalogue(gateway)
  return (uri) => reads.shownUri(server, uri)
}

/** The result of a tool. `shown` is asked for only when something in it is a resource. */
export async function withShownUris(result: JsonObject, shown: () => Promise<ShownUri>): Promise<JsonObject> {
  const { content } = result
  if (!Array.isArray(content) || !content.some(isOfResource)) return result
  const uris = await shown()
  return { ...result, content: content.map((block) => blockWith(block, uris)) }
}

/** The result of `prompts/get`. `shown`: as for a tool. */
export async function messagesWithShownUris(result: JsonObject, shown: () => Promise<ShownUri>): Promise<JsonObject> {
  const { messages } = result
  if (!Array.isArray(messages) || !messages.some(saysResource)) return result
  const uris = await shown()
  return {
    ...result,
    messages: messages.map((message) => (saysResource(message) ? { ...message, content: blockWith(message.content, uris) } : message)),
  }
}

/** The result of `resources/read`. */
export function contentsWithShownUris(result: JsonObject, shown: ShownUri): JsonObject {
  const { contents } = result
  if (!Array.isArray(contents)) return result
  return { ...result, contents: contents.map((one) => (isObject(one) ? withUri(one, shown) : one)) }
}

function isOfResource(block: JsonValue | undefined): boolean {
  return isObject(block) && (block.type === 'resource' || block.type === 'resource_link')
}

function saysResource(message: JsonValue): message is JsonObject & { content: JsonValue } {
  return isObject(message) && isOfResource(message.content)
}

function blockWith(block: JsonValue, shown: ShownUri): JsonValue {
  if (!isObject(block)) return block
  if (block.type === 'resource_link') return withUri(block, shown)
  return block.type === 'resource' && isObject(block.resource) ? { ...block, resource: withUri(block.resource, shown) } : block
}

function withUri(named: JsonObject, shown: ShownUri): JsonObject {
  const { uri } = named
  const own = typeof uri === 'string' ? shown(uri) : uri
  return own === uri || own === undefined ? named : { ...named, uri: own }
}
