/** A mark of the prompt cache: a block of its own here, a field of the part before it elsewhere. */
import type { JsonObject, JsonValue } from '../../../../core/json.ts'
import { objectOf, stringOf } from '../../../hub/loose-fields.ts'

/** As others say it. */
export function readCachePoint(point: JsonValue | undefined): JsonObject {
  const ttl = stringOf(objectOf(point)?.ttl)
  return { type: 'ephemeral', ...(ttl === undefined ? {} : { ttl }) }
}

/** The block behind a part that has the mark. */
export function cachePoint(cache: JsonValue | undefined): JsonObject[] {
  if (cache === undefined) return []
  const ttl = stringOf(objectOf(cache)?.ttl)
  return [{ cachePoint: { type: 'default', ...(ttl === undefined ? {} : { ttl }) } }]
}
