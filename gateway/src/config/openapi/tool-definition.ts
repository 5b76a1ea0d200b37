/** An operation as the tool that clients and models are shown. */
import { digestJson } from '../../core/hash.ts'
import { asText, isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import type { ApiMethod } from './api.ts'
import type { ReadBody } from './body.ts'
import { withoutFields } from './fixed-arguments.ts'
import { resolved } from './document.ts'
import type { DocumentOperation } from './operations.ts'
import { isJsonType, type ReadParameter } from './parameters.ts'
import { plainSchema, shortText, type SchemaReading } from './schemas.ts'

const longestDescription = 2000

/** What the method alone says of an operation (RFC 9110, 9.2). */
const annotationsOf: Readonly<Record<ApiMethod, JsonObject>> = {
  GET: { readOnlyHint: true },
  POST: { readOnlyHint: false },
  PUT: { readOnlyHint: false, idempotentHint: true },
  PATCH: { readOnlyHint: false },
  DELETE: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
}

/** `_meta` key under which a definition says which request the tool makes, so that a pin holds that as well. */
export const operationKey = 'dev.turnward/operation'

/** Under which name an answer that is no object is given. */
export const wrappedAs = 'result'

export interface DefinitionParts {
  readonly one: DocumentOperation
  readonly parameters: readonly ReadParameter[]
  readonly body: ReadBody | undefined
  readonly fixed: JsonObject
  readonly fixedBody: JsonObject
  /** The address, where the document itself says it: another document must not move a credential to another host unseen. */
  readonly base: string | undefined
  readonly outputSchema: JsonObject | undefined
}

/** The definition as the server lists it. */
export function toolDefinition({ one, parameters, body, fixed, fixedBody, base, outputSchema }: DefinitionParts): JsonObject {
  const { name, method, path, operation } = one
  const summary = asText(operation.summary).trim()
  const description = asText(operation.description).trim()
  const texts = [
    summary === description ? '' : summary,
    description,
    operation.deprecated === true ? 'Deprecated.' : '',
    `(${method} ${path})`,
  ]
  return {
    name,
    ...(summary === '' ? {} : { title: shortText(summary, 100) }),
    description: shortText(texts.filter((text) => text !== '').join('\n\n'), longestDescription),
    inputSchema: inputSchema(parameters, body, fixed, fixedBody),
    ...(outputSchema === undefined ? {} : { outputSchema }),
    annotations: annotationsOf[method],
    _meta: { [operationKey]: { method, path, digest: requestDigest(parameters, body, base) } },
  }
}

function inputSchema(
  parameters: readonly ReadParameter[],
  body: ReadBody | undefined,
  fixed: JsonObject,
  fixedBody: JsonObject,
): JsonObject {
  const shown = parameters.filter(({ argument }) => !Object.hasOwn(fixed, argument))
  const properties: [string, JsonValue][] = shown.map(({ argument, schema }) => [argument, schema])
  const required = shown.filter((parameter) => parameter.required).map(({ argument }) => argument)
  if (body !== undefined && !Object.hasOwn(fixed, 'body')) {
    const schema = withoutFields(body.schema, fixedBody)
    properties.push(['body', schema])
    // What is left to say may all be said already.
    if (body.required && (Object.keys(fixedBody).length === 0 || schema.required !== undefined)) required.push('body')
  }
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  }
}

/** Of everything that decides what an argument becomes. */
function requestDigest(parameters: readonly ReadParameter[], body: ReadBody | undefined, base: string | undefined): string {
  const places = parameters.map(({ schema: _schema, ...rest }) => rest)
  const { schema: _schema, ...written } = body ?? { schema: {} }
  return digestJson({ base, places, body: written }).slice(0, 16)
}

/** What a successful answer looks like, where the document says that in one way: every such answer is JSON of one schema. */
export function outputSchemaOf(reading: SchemaReading, { operation }: DocumentOperation): JsonObject | undefined {
  const good = Object.entries(isObject(operation.responses) ? operation.responses : {}).filter(([status]) => /^2(?:\d\d|XX)$/i.test(status))
  const [only] = good
  if (only === undefined || good.length > 1 || /^20[45]$/.test(only[0])) return undefined
  const response = resolved(reading.document, only[1])
  const types = isObject(response?.content) ? Object.entries(response.content) : []
  const [media] = types
  if (media === undefined || types.length > 1 || !isJsonType(media[0]) || !isObject(media[1]) || media[1].schema === undefined)
    return undefined
  return plainSchema(reading, media[1].schema)
}

/** The schema of structured content, which always is an object: an answer that may be anything else is given under one name. */
export function structuredSchema(schema: JsonObject): JsonObject {
  return schema.type === 'object' ? schema : { type: 'object', properties: { [wrappedAs]: schema }, required: [wrappedAs] }
}
