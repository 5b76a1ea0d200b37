/** Reads the body of one POST: type, size and time are checked before a byte is believed. */
import type { IncomingMessage } from 'node:http'
import type { Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'

type Limits = Snapshot['settings']['limits']

/** Throws `request.*`: the media type must be JSON, the client must accept JSON, nothing may be compressed. */
export function checkPostHeaders(req: IncomingMessage): void {
  const encoding = req.headers['content-encoding']
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') throw new TurnwardError('request.content_encoding')
  const type = (req.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/json') throw new TurnwardError('request.invalid', { status: 415, why: '`content-type` must be `application/json`' })
  if (!accepts(req, 'application/json')) throw new TurnwardError('request.invalid', { status: 406, why: '`accept` must list `application/json` and `text/event-stream`' })
}

/** Whether the client takes this media type. A missing Accept header takes everything (RFC 9110 section 12.5.1). */
export function accepts(req: IncomingMessage, type: 'application/json' | 'text/event-stream'): boolean {
  const header = req.headers.accept
  if (header === undefined) return true
  const wildcard = `${type.slice(0, type.indexOf('/'))}/*`
  return header.split(',').some((entry) => {
    const [range = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase())
    return (range === type || range === wildcard || range === '*/*') && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))
  })
}

/** The whole body. Throws `request.too_large`, `request.timeout` or `request.cancelled`. */
export function readBody(req: IncomingMessage, limits: Pick<Limits, 'max_body_bytes' | 'body_timeout_ms'>): Promise<Buffer> {
  if (Number(req.headers['content-length'] ?? 0) > limits.max_body_bytes) return Promise.reject(new TurnwardError('request.too_large'))
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    let size = 0
    const fail = (error: TurnwardError): void => {
      clearTimeout(timer)
      req.off('data', take)
      // Nobody reads the rest; the rim closes the connection after its answer.
      req.pause()
      reject(error)
    }
    const take = (chunk: Buffer): void => {
      size += chunk.length
      if (size > limits.max_body_bytes) return fail(new TurnwardError('request.too_large'))
      parts.push(chunk)
    }
    const timer = setTimeout(() => fail(new TurnwardError('request.timeout')), limits.body_timeout_ms)
    req.on('data', take)
    const gone = (): void => fail(new TurnwardError('request.cancelled'))
    req.once('end', () => {
      clearTimeout(timer)
      req.off('close', gone)
      resolve(parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts))
    })
    req.once('error', gone)
    req.once('close', gone)
  })
}
