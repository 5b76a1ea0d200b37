/** A listener on every address of this machine that must never be connected to, and says where it was when it is. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { privateAddress } from '../../harness/named-hosts.ts'

export interface Canary extends AsyncDisposable {
  readonly port: number
  /** The own address of each connection since the last look, with the first that was said. */
  seen(): readonly string[]
}

/** Starts it, and makes sure that it sees connections to the loopback in both forms and to another address. */
export async function startCanary(): Promise<Canary> {
  let seen: string[] = []
  const server = createServer((socket) => {
    seen.push(String(socket.localAddress))
    socket.on('error', () => {}).resume()
    // Whoever followed an address gets an answer, as a service of this machine would give.
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\ncanary')
  }).listen(0, '::')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const looked = (): readonly string[] => {
    const before = seen
    seen = []
    return before
  }
  for (const host of ['127.0.0.1', '::1', ...(privateAddress === undefined ? [] : [privateAddress])]) {
    for await (const _answer of connect(port, host));
    if (looked().length !== 1) throw new Error(`the canary does not see ${host}`)
  }
  return {
    port,
    seen: looked,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
