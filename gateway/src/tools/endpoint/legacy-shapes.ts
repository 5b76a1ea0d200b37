/** What legacy clients can read of definitions and results that a server of either era wrote. */
import { isObject, type JsonObject } from '../../core/json.ts'
import { metaKeys } from '../codec/versions.ts'
import { largeBody, withSmallFields } from '../large/large-result.ts'

/** Legacy output schemas describe objects; a modern server may describe anything (SEP-2106). */
export function legacyDefinition(definition: JsonObject): JsonObject {
  const { outputSchema, ...rest } = definition
  return outputSchema === undefined || describesObject(outputSchema) ? definition : rest
}

function describesObject(schema: unknown): boolean {
  if (!isObject(schema) || schema.type !== 'object') return false
  return schema.properties === undefined || (isObject(schema.properties) && Object.values(schema.properties).every(isObject))
}

/** Without what only modern results have. */
export function legacyRead(result: JsonObject): JsonObject {
  return withSmallFields(result, ({ resultType: _type, ttlMs: _ttl, cacheScope: _scope, ...rest }) => rest)
}

/** Without what only modern results have; `structuredContent` must be an object, its text form is in `content`. */
export function legacyResult(result: JsonObject): JsonObject {
  const isUnfit = largeBody(result)?.fields.get('structuredContent') === 'other'
  return isUnfit ? readable(result) : withSmallFields(result, readable)
}

function readable({ resultType: _type, ...rest }: JsonObject): JsonObject {
  if (Object.hasOwn(rest, 'structuredContent') && !isObject(rest.structuredContent)) delete rest.structuredContent
  if (!isObject(rest._meta)) return rest
  const { [metaKeys.serverInfo]: _server, ...meta } = rest._meta
  return { ...rest, _meta: meta }
}
