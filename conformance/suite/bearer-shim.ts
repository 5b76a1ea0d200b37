/**
 * Stands before a gateway for clients that cannot send a key: adds it, and leaves everything else as it came. Host and
 * Origin above all, which the suite forges. A client that goes away is gone for the gateway too.
 */
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Shim extends AsyncDisposable {
  readonly url: string
}

export async function startShim(target: string, key: string): Promise<Shim> {
  const { hostname, port, pathname } = new URL(target)
  const server = createServer((incoming, response) => {
    const headers = [...incoming.rawHeaders, 'authorization', `Bearer ${key}`]
    const outgoing = request({ hostname, port, path: pathname, method: incoming.method, headers, setHost: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      response.flushHeaders()
      answer.pipe(response)
      answer.once('error', () => response.destroy())
    })
    outgoing.once('error', () => response.destroy())
    response.once('close', () => outgoing.destroy())
    incoming.pipe(outgoing)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}
