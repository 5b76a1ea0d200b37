/**
 * What an API answered, as the result of a tool. What is no success is an error of the tool, which the model can read and act on;
 * never one of the protocol. Pure.
 */
import { STATUS_CODES } from 'node:http'
import type { ApiOperation } from '../../../config/openapi/api.ts'
import { isJsonType } from '../../../config/openapi/parameters.ts'
import { wrappedAs } from '../../../config/openapi/tool-definition.ts'
import { parseExactJson } from '../../../core/exact-json.ts'
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { picked } from './picked.ts'

export interface ApiAnswer {
  readonly status: number
  /** With its parameters; empty when the API names none. */
  readonly contentType: string
  readonly body: Buffer
}

type Operation = Pick<ApiOperation, 'name' | 'pick' | 'maxBytes' | 'wrapsObjects'>

/** Where and why structured content is not what the tool says; undefined when it is. */
export type AnswerCheck = (structured: JsonObject) => string | undefined

const maxErrorBytes = 8 * 1024

/** `check`: of a tool that says what its answers look like. */
export function apiResult(server: string, operation: Operation, answer: ApiAnswer, check: AnswerCheck | undefined): JsonObject {
  const { status, body } = answer
  if (status < 200 || status > 299) return failed(answer)
  if (body.length === 0)
    return { content: [text(`${statusText(status)}, without content`)], ...(check === undefined ? {} : { isError: true }) }
  const type = mediaType(answer)
  if (isJsonType(type)) {
    const value = jsonOf(body)
    if (value !== undefined) return jsonResult(operation, value, check)
  }
  if (check !== undefined) return error(`${statusText(status)}, and the answer is not JSON as it should be`)
  if (isText(type, body)) return { content: [text(cut(decoded(answer), operation.maxBytes))] }
  if (body.length > operation.maxBytes)
    return error(`the answer has ${body.length} bytes of ${type}, more than the ${operation.maxBytes} that are passed on`)
  const data = body.toString('base64')
  if (/^image\/[\w.+-]+$/.test(type)) return { content: [{ type: 'image', data, mimeType: type }] }
  if (/^audio\/[\w.+-]+$/.test(type)) return { content: [{ type: 'audio', data, mimeType: type }] }
  const uri = `openapi://${server}/${encodeURIComponent(operation.name)}`
  return { content: [{ type: 'resource', resource: { uri, mimeType: type === '' ? 'application/octet-stream' : type, blob: data } }] }
}

/** A call that could not even be made. */
export function error(why: string): JsonObject {
  return { content: [text(why)], isError: true }
}

function jsonResult({ pick, maxBytes, wrapsObjects }: Operation, whole: JsonValue, check: AnswerCheck | undefined): JsonObject {
  const value = pick === undefined ? whole : picked(whole, pick)
  const written = JSON.stringify(value)
  const structured = isObject(value) && !wrapsObjects ? value : { [wrappedAs]: value }
  const odd = check?.(structured)
  if (odd !== undefined) return error(`the answer is not what the document of the API says (${odd}): ${cut(written, maxErrorBytes)}`)
  const size = Buffer.byteLength(written)
  if (size > maxBytes) return { content: [text(cut(written, maxBytes))], ...(check === undefined ? {} : { isError: true }) }
  return { content: [text(written)], structuredContent: structured }
}

function failed(answer: ApiAnswer): JsonObject {
  const { status, body } = answer
  if (status >= 300 && status < 400) return error(`${statusText(status)}: the API points to another address, which is not followed`)
  const said = isText(mediaType(answer), body) ? decoded(answer).trim() : ''
  return error(said === '' ? statusText(status) : `${statusText(status)}\n${cut(said, maxErrorBytes)}`)
}

function statusText(status: number): string {
  return `HTTP ${status}${STATUS_CODES[status] === undefined ? '' : ` ${STATUS_CODES[status]}`}`
}

function text(value: string): JsonObject {
  return { type: 'text', text: value }
}

/** At most so many bytes of it, and how much is missing. */
function cut(value: string, maxBytes: number): string {
  const bytes = Buffer.from(value)
  if (bytes.length <= maxBytes) return value
  // What was cut in the middle of a character goes as a whole.
  const kept = bytes
    .subarray(0, maxBytes)
    .toString('utf8')
    .replace(/\uFFFD$/, '')
  return `${kept}\n[cut: ${maxBytes} of ${bytes.length} bytes]`
}

function mediaType({ contentType }: ApiAnswer): string {
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase()
}

const textTypes =
  /^(?:text\/.*|application\/(?:[\w.-]+\+)?(?:json|xml|yaml)|application\/(?:x-yaml|javascript|graphql|x-ndjson|x-www-form-urlencoded)|message\/.*)$/

/** By its type; without one, by whether it can be read. */
function isText(type: string, body: Buffer): boolean {
  if (textTypes.test(type)) return true
  return type === '' && !body.subarray(0, 4096).includes(0)
}

function decoded({ contentType, body }: ApiAnswer): string {
  const charset = /;\s*charset="?([\w-]{1,40})"?/i.exec(contentType)?.[1] ?? 'utf-8'
  try {
    return new TextDecoder(charset).decode(body)
  } catch {
    return body.toString('utf8')
  }
}

function jsonOf(body: Buffer): JsonValue | undefined {
  try {
    return parseExactJson(body.toString('utf8')) as JsonValue
  } catch {
    return undefined
  }
}
