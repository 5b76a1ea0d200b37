/** The body of a request, in the form that its operation takes. */
import { randomBytes } from 'node:crypto'
import type { ApiBody } from '../../../config/openapi/api.ts'
import { numberText } from '../../../core/exact-json.ts'
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { ArgumentProblem } from './argument-problem.ts'

export interface WrittenBody {
  readonly contentType: string
  readonly bytes: Buffer | string
}

/** Undefined when there is nothing to send. Throws `ArgumentProblem`. */
export function requestBody(body: ApiBody | undefined, given: JsonValue | undefined, fixed: JsonObject): WrittenBody | undefined {
  if (body === undefined) return undefined
  const hasFixed = Object.keys(fixed).length > 0
  if (hasFixed && given !== undefined && given !== null && !isObject(given)) throw new ArgumentProblem('body', 'must be an object')
  const value = hasFixed ? { ...(isObject(given) ? given : {}), ...fixed } : given
  if (value === undefined) {
    if (body.required) throw new ArgumentProblem('body', 'is missing')
    return undefined
  }
  return forms[body.form](body, value)
}

const forms: Readonly<Record<ApiBody['form'], (body: ApiBody, value: JsonValue) => WrittenBody>> = {
  json: ({ contentType }, value) => ({ contentType, bytes: JSON.stringify(value) }),
  urlencoded: ({ contentType }, value) => ({
    contentType,
    bytes: new URLSearchParams(
      fieldsOf(value).map(([name, text]): [string, string] => [name.toWellFormed(), text.toWellFormed()]),
    ).toString(),
  }),
  multipart: (body, value) => multipart(body, value),
  text: ({ contentType }, value) => ({
    contentType: /;\s*charset=/i.test(contentType) ? contentType : `${contentType}; charset=utf-8`,
    bytes: Buffer.from(textOf(value)),
  }),
  base64: ({ contentType }, value) => ({ contentType, bytes: bytesOf('body', value) }),
}

function textOf(value: JsonValue): string {
  if (typeof value !== 'string') throw new ArgumentProblem('body', 'must be text')
  return value
}

function bytesOf(name: string, value: JsonValue): Buffer {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value)) throw new ArgumentProblem(name, 'must be base64')
  return Buffer.from(value, 'base64')
}

/** Fields of a form: a list is a field for each of its values, what is deeper is JSON. */
function fieldsOf(value: JsonValue): (readonly [string, string])[] {
  if (!isObject(value)) throw new ArgumentProblem('body', 'must be an object')
  return Object.entries(value).flatMap(([name, each]) =>
    (Array.isArray(each) ? each : [each]).flatMap((one): (readonly [string, string])[] => (one === null ? [] : [[name, fieldText(one)]])),
  )
}

function fieldText(value: JsonValue): string {
  return typeof value === 'string' ? value : (numberText(value) ?? JSON.stringify(value))
}

function multipart({ files }: ApiBody, value: JsonValue): WrittenBody {
  if (!isObject(value)) throw new ArgumentProblem('body', 'must be an object')
  // Nobody who writes a field can know it.
  const boundary = `turnward-${randomBytes(18).toString('base64url')}`
  const parts: Buffer[] = []
  const add = (name: string, head: string, bytes: Buffer): void => {
    parts.push(
      Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="${quoted(name)}"${head}\r\n\r\n`),
      bytes,
      Buffer.from('\r\n'),
    )
  }
  for (const [name, each] of Object.entries(value)) {
    if (each === null) continue
    if (!files.includes(name)) for (const [, text] of fieldsOf({ [name]: each })) add(name, '', Buffer.from(text))
    else
      for (const one of Array.isArray(each) ? each : [each])
        add(name, `; filename="${quoted(name)}"\r\ncontent-type: application/octet-stream`, bytesOf(`body.${name}`, one))
  }
  parts.push(Buffer.from(`--${boundary}--\r\n`))
  return { contentType: `multipart/form-data; boundary=${boundary}`, bytes: Buffer.concat(parts) }
}

/** As browsers write names in a header of a part (HTML, "multipart/form-data encoding algorithm"). */
function quoted(name: string): string {
  return name.toWellFormed().replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}
