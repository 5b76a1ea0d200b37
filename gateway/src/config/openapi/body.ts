/** The body of an operation as one argument, `body`: in which of its media types it is written, and what may be in it. */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import type { ApiBody } from './api.ts'
import { resolved } from './document.ts'
import { isJsonType } from './parameters.ts'
import { plainSchema, type SchemaReading } from './schemas.ts'

export interface ReadBody extends ApiBody {
  /** Of the argument. */
  readonly schema: JsonObject
}

/** What can be written, the most telling first. */
const forms: readonly (readonly [ApiBody['form'], (type: string) => boolean])[] = [
  ['json', isJsonType],
  ['urlencoded', (type) => /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type)],
  ['multipart', (type) => /^multipart\/form-data\s*(?:;|$)/i.test(type)],
  ['text', (type) => /^(?:text\/[\w.+-]+|application\/(?:[\w.-]+\+)?(?:xml|yaml)|application\/(?:graphql|x-ndjson))\s*(?:;|$)/i.test(type)],
  [
    'base64',
    (type) => /^(?:application\/(?:octet-stream|pdf|zip|gzip)|image\/[\w.+-]+|audio\/[\w.+-]+|video\/[\w.+-]+)\s*(?:;|$)/i.test(type),
  ],
]

const base64: JsonObject = { type: 'string', contentEncoding: 'base64' }

/** Undefined where there is none; a sentence where one is needed and cannot be written. */
export function readBody(reading: SchemaReading, requestBody: JsonValue | undefined): ReadBody | string | undefined {
  if (requestBody === undefined) return undefined
  const body = resolved(reading.document, requestBody)
  const required = body?.required === true
  if (body === undefined || !isObject(body.content)) return 'its body cannot be read'
  const types = Object.keys(body.content)
  for (const [form, isOf] of forms) {
    const contentType = types.find((type) => isOf(type) && /^[\x20-\x7e]{1,128}$/.test(type))
    const media = contentType === undefined ? undefined : resolved(reading.document, body.content[contentType])
    if (contentType === undefined || media === undefined) continue
    const { schema, files } = schemaOf(form, reading, media.schema)
    const description = typeof body.description === 'string' ? body.description.trim().slice(0, 500).toWellFormed() : ''
    return { form, contentType, required, files, schema: description === '' ? schema : { ...schema, description } }
  }
  return required ? 'its body is of a media type that is not written' : undefined
}

function schemaOf(
  form: ApiBody['form'],
  reading: SchemaReading,
  schema: JsonValue | undefined,
): { readonly schema: JsonObject; readonly files: readonly string[] } {
  if (form === 'text') return { schema: { type: 'string' }, files: [] }
  if (form === 'base64') return { schema: { ...base64, description: 'The bytes, as base64.' }, files: [] }
  const plain = plainSchema(reading, schema)
  if (form === 'json') return { schema: plain, files: [] }
  const { properties } = plain
  if (form !== 'multipart' || !isObject(properties)) return { schema: { ...plain, type: 'object' }, files: [] }
  const files = Object.entries(properties).flatMap(([name, each]) => (isObject(each) && isFile(each) ? [name] : []))
  const shown = Object.fromEntries(
    Object.entries(properties).map(([name, each]) => [
      name,
      files.includes(name) ? { ...base64, description: `${describe(each)}The content of the file, as base64.` } : each,
    ]),
  )
  return { schema: { ...plain, type: 'object', properties: shown }, files }
}

function isFile(schema: JsonObject): boolean {
  return schema.format === 'binary' || schema.format === 'base64'
}

function describe(schema: JsonValue): string {
  return isObject(schema) && typeof schema.description === 'string' ? `${schema.description} ` : ''
}
