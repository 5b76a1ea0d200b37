/** What the head of a POST must say before a byte of its body is read. */
import type { IncomingMessage } from 'node:http'
import { TurnwardError } from '../../core/error.ts'

/** Throws `request.*`: the media type must be JSON, the client must accept JSON, nothing may be compressed. */
export function checkPostHeaders(request: IncomingMessage): void {
  checkJsonBody(request)
  if (!accepts(request, 'application/json'))
    throw new TurnwardError('request.invalid', { status: 406, why: '`accept` must list `application/json` and `text/event-stream`' })
}

/** Throws `request.*`: the media type must be JSON, nothing may be compressed. */
export function checkJsonBody(request: IncomingMessage): void {
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') throw new TurnwardError('request.content_encoding')
  if (!isJson(request.headers['content-type']))
    throw new TurnwardError('request.invalid', { status: 415, why: '`content-type` must be `application/json`' })
}

function isJson(type = ''): boolean {
  return type === 'application/json' || type.split(';', 1)[0]?.trim().toLowerCase() === 'application/json'
}

/** The header every client of the specification sends. */
const bothTypes = 'application/json, text/event-stream'

/** Whether the client takes this media type. A missing Accept header takes everything (RFC 9110 section 12.5.1). */
export function accepts(request: IncomingMessage, type: 'application/json' | 'text/event-stream'): boolean {
  const header = request.headers.accept
  if (header === undefined || header === bothTypes) return true
  const wildcard = `${type.slice(0, type.indexOf('/'))}/*`
  return header.split(',').some((entry) => {
    const [range = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase())
    return (range === type || range === wildcard || range === '*/*') && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))
  })
}

/** A header that was sent once; a repeated one is joined by Node and will not compare equal. */
export function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header
}
