/** Reads the fields of a small form of ours. */
import type { IncomingMessage } from 'node:http'
import { TurnwardError } from '../../core/error.ts'

const mostBytes = 16 * 1024

/** Rejects with `request.invalid` for anything that is no form, or is large. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const type = request.headers['content-type'] ?? ''
  if (!/^application\/x-www-form-urlencoded(?:\s*;|$)/i.test(type))
    throw new TurnwardError('request.invalid', { subject: 'content-type', why: 'this is no form' })
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > mostBytes) throw new TurnwardError('request.invalid', { subject: 'body', why: `a form has at most ${mostBytes} bytes` })
    chunks.push(chunk)
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
}
