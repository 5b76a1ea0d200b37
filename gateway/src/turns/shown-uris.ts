/**
 * Resources inside results: what a server embeds or links is named as clients of the gateway can read it. Where its own URI
 * means it, which is nearly always, nothing changes.
 */
import type { JsonObject } from '../core/json.ts'
import type { CallerFleet } from '../tools/catalogue.ts'
import { largeBody } from '../tools/large/large-result.ts'
import { contentsWithUris, contentWithUris, messagesWithUris, urisOf, type ChangedUri } from '../tools/resource-uris.ts'

/** How clients of a gateway read what a server names. */
export async function shownUris(fleet: CallerFleet, gateway: string, server: string): Promise<ChangedUri> {
  const { reads } = await fleet.catalogue(gateway)
  return (uri) => reads.shownUri(server, uri)
}

/** The result of a tool. `shown` is asked for only when something in it is a resource. */
export async function withShownUris(result: JsonObject, shown: () => Promise<ChangedUri>): Promise<JsonObject> {
  if (urisIn(result).size === 0) return result
  const uris = await shown()
  return isShownSo(result, uris) ? result : contentWithUris(result, uris)
}

/** The result of `prompts/get`. `shown`: as for a tool. */
export async function messagesWithShownUris(result: JsonObject, shown: () => Promise<ChangedUri>): Promise<JsonObject> {
  if (urisIn(result).size === 0) return result
  const uris = await shown()
  return isShownSo(result, uris) ? result : messagesWithUris(result, uris)
}

/** The result of `resources/read`. */
export function contentsWithShownUris(result: JsonObject, shown: ChangedUri): JsonObject {
  return isShownSo(result, shown) ? result : contentsWithUris(result, shown)
}

function isShownSo(result: JsonObject, shown: ChangedUri): boolean {
  return [...urisIn(result)].every((uri) => shown(uri) === uri)
}

/** A large result is not read for it, unless it names more than anybody counts. */
function urisIn(result: JsonObject): ReadonlySet<string> {
  return largeBody(result)?.uris ?? urisOf(result)
}
