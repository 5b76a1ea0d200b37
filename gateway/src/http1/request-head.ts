/** Writes the head of a request (RFC 9112, section 3). Nothing that could begin another line or another request gets in. */
import { HttpError, type OutgoingRequest } from './exchange.ts'
import { connectionHeaders, fieldName, fieldValue } from './header-fields.ts'

const target = /^\/[\x21-\x7e]*$/

/** The head with its empty line, as latin1 text. Throws `HTTP_INVALID_REQUEST`. */
export function writeHead(request: OutgoingRequest, host: string, bodyBytes: number): string {
  const { method, path, headers } = request
  if (!target.test(path)) throw new HttpError('HTTP_INVALID_REQUEST', 'its path')
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`
  for (let index = 0; index + 1 < headers.length; index += 2) head += field(headers[index] as string, headers[index + 1] as string)
  // RFC 9110, 8.6: a method that means something by a body says when there is none.
  return method === 'POST' || method === 'PUT' || method === 'PATCH' || bodyBytes > 0
    ? `${head}content-length: ${bodyBytes}\r\n\r\n`
    : `${head}\r\n`
}

function field(name: string, value: string): string {
  if (!fieldName.test(name)) throw new HttpError('HTTP_INVALID_REQUEST', 'the name of a header')
  if (connectionHeaders.has(name) || connectionHeaders.has(name.toLowerCase()))
    throw new HttpError('HTTP_INVALID_REQUEST', `the header ${name.toLowerCase()} is set by the connection`)
  if (!fieldValue.test(value)) throw new HttpError('HTTP_INVALID_REQUEST', `the value of the header ${name.toLowerCase()}`)
  return `${name}: ${value}\r\n`
}
