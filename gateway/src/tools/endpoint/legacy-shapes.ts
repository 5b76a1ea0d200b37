/** What legacy clients can read of definitions and results that a server of either era wrote. */
import { isObject, type JsonObject } from '../../core/json.ts'
import { metaKeys } from '../codec/versions.ts'

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
  const { resultType: _type, ttlMs: _ttl, cacheScope: _scope, ...rest } = result
  return rest
}

/** Without what only modern results have; `structuredContent` must be an object, its text form is in `content`. */
export function legacyResult(result: JsonObject): JsonObject {
  const { resultType: _type, structuredContent, ...rest } = result
  if (isObject(rest._meta)) {
    const { [metaKeys.serverInfo]: _server, ...meta } = rest._meta
    rest._meta = meta
  }
  return isObject(structuredContent) ? { ...rest, structuredContent } : rest
}
