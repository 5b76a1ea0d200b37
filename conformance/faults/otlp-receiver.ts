/** What a trace collector gets: every request of an OTLP exporter, as bytes. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface OtlpReceiver extends AsyncDisposable {
  /** For `otlp_endpoint`. */
  readonly url: string
  /** Bodies so far, as latin1, so that text in a binary encoding is found too. */
  readonly bodies: readonly string[]
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      bodies.push(Buffer.concat(chunks).toString('latin1'))
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    bodies,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}
