/** One HTTP/1.1 answer read from the bytes of a closed connection, strictly: what is cut short is no answer. */

export interface HttpAnswer {
  readonly status: number
  readonly body: string
}

/** The answer, or in words why these bytes are none. A stream of events counts as whole once it has begun. */
export function readAnswer(text: string, method: string, version = 'HTTP/1.1'): HttpAnswer | string {
  const end = text.indexOf('\r\n\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0)
  if (end === -1 || status === 0) return 'no head'
  if (status === 100) return readAnswer(text.slice(end + 4), method, version)
  const head = text.slice(0, end).toLowerCase()
  const rest = text.slice(end + 4)
  // Of a request that cannot be read the method is not known either.
  const isUnread = [400, 408, 413, 431].includes(status) && head.includes('\r\nconnection: close')
  if ((method === 'HEAD' && !(isUnread && rest !== '')) || status === 204 || status === 304)
    return rest === '' ? { status, body: '' } : 'a body where none may be'
  if (head.includes('\r\ncontent-type: text/event-stream')) return { status, body: rest }
  const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1]
  if (length !== undefined) return rest.length === Number(length) ? { status, body: rest } : `${rest.length} bytes of ${length}`
  const isChunked = head.includes('\r\ntransfer-encoding: chunked')
  // Before HTTP/1.1 chunks are for those who ask for them (`te`): else the end of the connection is the end of the body.
  if (version !== 'HTTP/1.1' && !isChunked && head.includes('\r\nconnection: close')) return { status, body: rest }
  if (!isChunked) return 'neither a length nor chunks'
  return readChunks(rest, status)
}

function readChunks(text: string, status: number): HttpAnswer | string {
  let body = ''
  let at = 0
  for (;;) {
    const size = /^([0-9a-f]+)\r\n/i.exec(text.slice(at, at + 20))
    if (size === null) return 'a broken chunk'
    const length = Number.parseInt(size[1] ?? '0', 16)
    at += size[0].length
    if (length === 0) return text.slice(at) === '\r\n' ? { status, body } : 'chunks without an end'
    body += text.slice(at, at + length)
    at += length
    if (text.slice(at, at + 2) !== '\r\n') return 'a chunk without its end'
    at += 2
  }
}

/** True for an error as one of our protocols writes it: a coded error, or JSON-RPC's. */
export function knownEnvelope(body: string): boolean {
  const read = parse(body)
  const error = isRecord(read) ? read['error'] : undefined
  if (!isRecord(error) || typeof error['message'] !== 'string' || error['message'] === '') return false
  if (isRecord(read) && read['jsonrpc'] === '2.0') return typeof error['code'] === 'number'
  return typeof error['code'] === 'string' && /^[a-z]+\.[a-z_]+$/.test(error['code'])
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
