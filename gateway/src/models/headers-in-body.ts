/** A form of a dialect may have in its bodies what the dialect itself has as headers: there it is taken out, and travels as one. */
import type { IncomingHttpHeaders } from 'node:http'
import type { JsonObject } from '../core/json.ts'
import type { Dialect } from '../wire/dialect.ts'

/** The client's headers, with those it has written into its body. */
export function headersOf({ headersInBody }: Dialect, given: IncomingHttpHeaders, body: JsonObject): IncomingHttpHeaders {
  if (headersInBody === undefined) return given
  const headers: IncomingHttpHeaders = { ...given }
  for (const name in headersInBody) {
    const value = body[headersInBody[name] as string]
    const texts = Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
    if (texts.length > 0) headers[name] = texts.join(',')
  }
  return headers
}

/** The body without them. */
export function withoutHeaders({ headersInBody = {} }: Dialect, body: JsonObject): JsonObject {
  const rest = { ...body }
  for (const name in headersInBody) delete rest[headersInBody[name] as string]
  return rest
}
