/** Reads the body of a request into one Buffer within size and time limits. Both floors read with it; what the bytes mean is theirs. */
import type { IncomingMessage } from 'node:http'
import { TurnwardError } from '../../core/error.ts'
import { notePassingBytes } from '../../core/garbage.ts'

export interface BodyLimits {
  readonly max_body_bytes: number
  readonly body_timeout_ms: number
}

/** The whole body. Throws `request.too_large`, `request.timeout` or `request.cancelled`. */
export async function readRequestBytes(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > limits.max_body_bytes) throw tooLarge(limits)
  return announced > 0 && request.readableLength === announced ? receivedBytes(request) : awaitBytes(request, limits)
}

/** A small body has come with its head: it is taken at once. What is left to come is the end of the request. */
function receivedBytes(request: IncomingMessage): Buffer {
  const bytes = request.read() as Buffer
  request.resume()
  return bytes
}

function awaitBytes(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const timer = setTimeout(
      () => fail(new TurnwardError('request.timeout', { why: `not complete after ${limits.body_timeout_ms} ms` })),
      limits.body_timeout_ms,
    )
    const cleanUp = (): void => {
      clearTimeout(timer)
      request.off('data', onData).off('end', onEnd).off('error', onError).off('close', onError)
    }
    const fail = (error: TurnwardError): void => {
      cleanUp()
      // Stop reading without destroying the socket: the error still has to go out on it.
      request.pause()
      reject(error)
    }
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      if (size > limits.max_body_bytes) fail(tooLarge(limits))
      else chunks.push(chunk)
    }
    const onEnd = (): void => {
      cleanUp()
      // The chunks and the whole.
      notePassingBytes(2 * size)
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size))
    }
    const onError = (): void => fail(new TurnwardError('request.cancelled', { why: 'the connection ended inside the body' }))
    request.on('data', onData).on('end', onEnd).on('error', onError).on('close', onError)
  })
}

function tooLarge(limits: BodyLimits): TurnwardError {
  return new TurnwardError('request.too_large', { why: `more than ${limits.max_body_bytes} bytes` })
}
