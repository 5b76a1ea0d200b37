/**
 * Upstream error bodies of any shape as `{ message, type }`. The message is bounded and loses anything that looks like
 * a key: providers quote credentials in their errors.
 */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { objectOf, stringOf } from './loose-fields.ts'

export interface UpstreamError {
  readonly message: string
  /** The upstream's own error type, or one that fits the status. */
  readonly type: string
}

const maxMessage = 1000

const typesByStatus: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  413: 'request_too_large',
  422: 'invalid_request_error',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

/** Reads an error body: parsed JSON or text. `status` is the upstream's HTTP status, if there was one. */
export function readUpstreamError(body: unknown, status?: number): UpstreamError {
  const parsed = typeof body === 'string' ? parseText(body) : body
  // Gemini's OpenAI-compatible endpoint wraps its error in an array.
  const value: unknown = Array.isArray(parsed) ? parsed[0] : parsed
  const found = typeof value === 'string' ? { message: plainText(value), type: undefined } : isObject(value) ? fromObject(value) : undefined
  const message = clean(found?.message ?? '')
  return { message: message === '' ? withoutMessage(status) : message, type: typeOr(found?.type, status) }
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** A page of HTML says nothing a reader of JSON can use. */
function plainText(text: string): string {
  return text.trimStart().startsWith('<') ? '' : text
}

/** OpenAI and Anthropic `{error: {message, type}}`, Kong and AWS `{message}` (`Message` at times), APISIX `{error_msg}`, FastAPI `{detail}` as text or list, `{error: "…"}`. */
function fromObject(body: JsonObject): { message: string | undefined; type: string | undefined } {
  const error = objectOf(body.error)
  if (error !== undefined) {
    return {
      message: stringOf(error.message) ?? stringOf(error.error_msg),
      type: stringOf(error.type) ?? stringOf(error.code) ?? stringOf(error.status),
    }
  }
  const message =
    stringOf(body.error) ??
    stringOf(body.error_msg) ??
    stringOf(body.message) ??
    stringOf(body.Message) ??
    detailOf(body.detail) ??
    detailOf(objectOf(body.message)?.detail)
  const type = stringOf(body.type)
  return { message, type: type === 'error' ? undefined : type }
}

/** FastAPI says what it refuses field by field. */
function detailOf(detail: JsonValue | undefined): string | undefined {
  if (!Array.isArray(detail)) return stringOf(detail) ?? stringOf(objectOf(detail)?.message) ?? stringOf(objectOf(detail)?.msg)
  const said = detail.slice(0, 8).flatMap((item) => {
    const entry = objectOf(item)
    const message = stringOf(entry?.msg) ?? stringOf(item)
    if (message === undefined) return []
    const place = Array.isArray(entry?.loc) ? entry.loc.filter((key) => typeof key === 'string' || typeof key === 'number').join('.') : ''
    return [place === '' ? message : `${place}: ${message}`]
  })
  return said.length === 0 ? undefined : said.join('; ')
}

function typeOr(type: string | undefined, status: number | undefined): string {
  if (type !== undefined && /^[a-z][a-z0-9_.-]{0,63}$/i.test(type)) return type
  if (status === undefined) return 'api_error'
  return typesByStatus[status] ?? (status >= 400 && status < 500 ? 'invalid_request_error' : 'api_error')
}

function withoutMessage(status: number | undefined): string {
  return status === undefined ? 'The upstream reported an error without a message.' : `The upstream answered ${status} without a message.`
}

const keyLike = /\b(?:sk|pk|rk|xai|gsk|tw|hf|key|AIza)[-_]?[A-Za-z0-9_*-]{12,}|\bBearer\s+[^\s"']{8,}/g

function clean(text: string): string {
  // Control characters would let an upstream forge log lines.
  const bounded = text.slice(0, maxMessage * 2).replace(/[\u0000-\u001f\u007f]+/g, ' ')
  const redacted = bounded.replace(keyLike, '[redacted]').trim()
  return redacted.length > maxMessage ? `${redacted.slice(0, maxMessage)}…` : redacted
}
