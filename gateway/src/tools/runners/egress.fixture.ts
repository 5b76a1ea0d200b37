/** What tests of the egress share: its sockets in a folder of their own, names the test resolves, and raw clients. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { serverSchema } from '@turnward/contract/config/agent-floor'
import type { DialerOptions } from './egress-dialer.ts'
import { startEgress, type Egress, type EgressOptions } from './egress.ts'
import { freshFolder, recordingLogger, type LogLine } from './sandbox.fixture.ts'

export interface StartedEgress {
  readonly egress: Egress
  /** The unix socket of the proxy, and of a TCP service. */
  readonly proxy: string
  readonly service: (index: number) => string
  readonly lines: LogLine[]
}

/** Answers of a name server: addresses by name. Every other name is not known. */
export type Names = Readonly<Record<string, readonly string[]>>

/** Starts the egress of a server `probe`. */
export async function openEgress(
  network: readonly unknown[],
  names: Names = {},
  more: DialerOptions & Pick<EgressOptions, 'headersMs' | 'refusedFile'> = {},
): Promise<StartedEgress> {
  const folder = join(freshFolder(), 'egress')
  const { logger, lines } = recordingLogger()
  const config = serverSchema.parse({ transport: 'stdio', command: ['node'], network })
  if (config.transport !== 'stdio') throw new Error('not a stdio server')
  const resolve = async (host: string) => names[host] ?? Promise.reject(new Error('ENOTFOUND'))
  const egress = await startEgress({ server: 'probe', network: config.network, folder, logger, resolve, ...more })
  return { egress, proxy: join(folder, 'http'), service: (index) => join(folder, String(index)), lines }
}

/** Dials as the egress would, but every address leads to one listener; says which addresses were asked for. */
export function connectingTo(port: number): { readonly dialled: string[]; readonly connect: (address: string, port: number) => Socket } {
  const dialled: string[] = []
  return {
    dialled,
    connect: (address, wanted) => {
      dialled.push(`${address} ${wanted}`)
      return connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    },
  }
}

/** Sends text over a unix socket and gives everything that comes back until it is closed or cut. */
export async function raw(path: string, text: string): Promise<string> {
  const client = connect(path)
  client.write(text)
  let answer = ''
  try {
    for await (const chunk of client) answer += String(chunk)
  } catch {
    // A cut connection is an answer too.
  }
  return answer
}

export const connectTo = (target: string, version = '1.1'): string => `CONNECT ${target} HTTP/${version}\r\nhost: ${target}\r\n\r\n`

export interface Listener extends AsyncDisposable {
  readonly port: number
  readonly connections: () => number
}

/** A TCP server on the loopback, or on another address; `serve` says what it does with a connection. */
export async function listenTcp(serve: (socket: Socket) => void, address = '127.0.0.1', port = 0): Promise<Listener> {
  let connections = 0
  const sockets = new Set<Socket>()
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('error', () => {})
    serve(socket)
  }).listen(port, address)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Gives back what it gets, and ends when its client has. */
export const echo = (socket: Socket): void => void socket.pipe(socket)
