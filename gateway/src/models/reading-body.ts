/** Reads the body of a model call. Compressed bodies are refused: a few bytes could become gigabytes. */
import type { IncomingMessage } from 'node:http'
import { TurnwardError } from '../core/error.ts'
import { readRequestBytes, type BodyLimits } from '../wire/request/request-bytes.ts'

/** Throws `request.too_large`, `request.timeout`, `request.content_encoding` or `request.cancelled`. */
export function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity')
    throw new TurnwardError('request.content_encoding', { subject: 'content-encoding' })
  return readRequestBytes(request, limits)
}
