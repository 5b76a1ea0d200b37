/** Requests and answers of `/api`: JSON, small, and for nobody's cache. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { TurnwardError } from '../core/error.ts'
import { isShallow } from '../core/json.ts'
import { parseJson } from '../core/parse-json.ts'
import { type BodyLimits, readRequestBytes } from '../wire/request/request-bytes.ts'

const usualBytes = 128 * 1024

/** Lists and objects in each other: as deep as a configuration may be, and what holds one here. */
const deepest = 70

/**
 * Rejects with `request.malformed`, which quotes nothing of it, `request.too_deep`, `request.too_large` or `request.timeout`.
 * `mostBytes`: its largest size.
 */
export async function readApiBody(request: IncomingMessage, limits: BodyLimits, mostBytes = usualBytes): Promise<unknown> {
  const bytes = await readRequestBytes(request, { ...limits, max_body_bytes: Math.min(limits.max_body_bytes, mostBytes) })
  let body: unknown
  try {
    body = parseJson(bytes.toString('utf8'))
  } catch {
    throw new TurnwardError('request.malformed')
  }
  if (!isShallow(body, deepest)) throw new TurnwardError('request.too_deep', { fix: `At most ${deepest} levels.` })
  return body
}

export function answerJson(response: ServerResponse, value: unknown, status = 200): void {
  const text = JSON.stringify(value)
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'content-length': Buffer.byteLength(text),
    })
    .end(text)
}

/** What stands in a path. Throws `request.invalid`. */
export function decodePath(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new TurnwardError('request.invalid', { subject: 'path', why: 'it is not percent-encoded UTF-8' })
  }
}
