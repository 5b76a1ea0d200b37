/** Whole response bodies, within a size limit. */
import { TurnwardError } from '../core/error.ts'
import { notePassingBytes } from '../core/garbage.ts'
import type { UpstreamResponse } from '../providers/transport.ts'

/** The whole body. Throws `upstream.malformed` beyond the limit and `upstream.failed` when it is cut off. */
export function collectBody(response: UpstreamResponse, maxBytes: number, upstream: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    response.read({
      onData(chunk) {
        size += chunk.length
        if (size > maxBytes) {
          response.abort()
          reject(new TurnwardError('upstream.malformed', { subject: upstream, why: `more than ${maxBytes} bytes` }))
        } else chunks.push(chunk)
      },
      onEnd() {
        notePassingBytes(2 * size)
        resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size))
      },
      onError: (error) =>
        reject(
          error instanceof TurnwardError
            ? error
            : new TurnwardError('upstream.failed', { subject: upstream, why: 'the answer was cut off', cause: error }),
        ),
    })
  })
}
