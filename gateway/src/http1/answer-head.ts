/**
 * Reads the head of an answer (RFC 9112, sections 4 to 6), strictly: two readings of one answer are how bytes of one
 * exchange become the answer of the next, so whatever could be read in two ways is malformed.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { HttpError } from './exchange.ts'
import { fieldName, fieldValue } from './header-fields.ts'

/** How long the body is: so many bytes, until the last chunk, or until the connection ends. */
export type Framing = number | 'chunked' | 'until-close'

export interface AnswerHead {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly framing: Framing
  /** The connection may carry another exchange after this one. */
  readonly persistent: boolean
  /** Milliseconds the upstream says it keeps the connection for. */
  readonly keepAliveMs: number | undefined
}

type Values = Record<string, string | string[] | undefined>

/** Without what every object inherits, so that a header may have any name; an object with a null prototype would be a slow one. */
const Headers = function () {} as unknown as new () => Values
Headers.prototype = Object.create(null)

const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/
const digits = /^\d{1,15}$/
const keepAlive = /(?:^|[,\s])timeout=(\d{1,6})(?:[,;\s]|$)/i

/** The head as latin1 text, without the empty line that ends it. Throws `HTTP_MALFORMED`. */
export function readHead(text: string): AnswerHead {
  let end = lineEnd(text, 0)
  const line = statusLine.exec(text.slice(0, end))
  if (line === null) throw new HttpError('HTTP_MALFORMED', 'its status line')
  const headers = new Headers()
  for (let start = end + 2; start < text.length; start = end + 2) {
    end = lineEnd(text, start)
    addField(headers, text, start, end)
  }
  const isNewer = line[1] === '1'
  const status = Number(line[2])
  const framing = framingOf(status, headers)
  return {
    status,
    headers,
    framing,
    persistent: isCertain(framing, isNewer, headers) && isPersistent(isNewer, headers.connection),
    keepAliveMs: keepAliveOf(headers['keep-alive']),
  }
}

function lineEnd(text: string, from: number): number {
  const at = text.indexOf('\r\n', from)
  return at === -1 ? text.length : at
}

// A line that begins with white space would continue the one before (obsolete folding); its name is no token.
function addField(headers: Values, text: string, start: number, end: number): void {
  const colon = text.indexOf(':', start)
  if (colon === -1 || colon >= end) throw new HttpError('HTTP_MALFORMED', 'a header without a colon')
  const written = text.slice(start, colon)
  const value = text.slice(text.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1, end)
  if (!fieldName.test(written) || !fieldValue.test(value))
    throw new HttpError('HTTP_MALFORMED', 'a header with characters that do not belong there')
  const name = written.toLowerCase()
  const earlier = headers[name]
  const trimmed = withoutPadding(value)
  if (earlier === undefined) headers[name] = trimmed
  else if (typeof earlier === 'string') headers[name] = [earlier, trimmed]
  else earlier.push(trimmed)
}

/** Of spaces and tabs only: the last byte of a word in UTF-8 may look like a space of another kind. */
function withoutPadding(value: string): string {
  let start = 0
  let end = value.length
  while (start < end && isSpace(value.charCodeAt(start))) start += 1
  while (end > start && isSpace(value.charCodeAt(end - 1))) end -= 1
  return value.slice(start, end)
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09
}

function framingOf(status: number, headers: Values): Framing {
  const coding = headers['transfer-encoding']
  const length = headers['content-length']
  if (coding !== undefined) {
    if (length !== undefined) throw new HttpError('HTTP_MALFORMED', 'both a length and a transfer coding')
    if (typeof coding !== 'string' || coding.toLowerCase() !== 'chunked')
      throw new HttpError('HTTP_MALFORMED', 'a transfer coding other than chunked')
  }
  if (length !== undefined && (typeof length !== 'string' || !digits.test(length)))
    throw new HttpError('HTTP_MALFORMED', 'its content length')
  if (status < 200 || status === 204 || status === 304) return 0
  if (coding !== undefined) return 'chunked'
  return length === undefined ? 'until-close' : Number(length)
}

/**
 * False when the upstream may see the end elsewhere: it names a body that such an answer does not have, or chunks that
 * its version does not know (RFC 9112, 6.1).
 */
function isCertain(framing: Framing, isNewer: boolean, headers: Values): boolean {
  if (framing === 0) return headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0
  return framing === 'chunked' ? isNewer : framing !== 'until-close'
}

function isPersistent(isNewer: boolean, connection: string | string[] | undefined): boolean {
  if (connection === undefined) return isNewer
  const options = String(connection).toLowerCase()
  if (options === 'keep-alive') return true
  return isNewer && !options.split(',').some((option) => option.trim() === 'close')
}

function keepAliveOf(value: string | string[] | undefined): number | undefined {
  const seconds = typeof value === 'string' ? keepAlive.exec(value)?.[1] : undefined
  return seconds === undefined ? undefined : Number(seconds) * 1000
}
