/** A vendor below HTTP: reads one request after the other from a connection and lets a test write whatever bytes it wants. */
import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { Json } from '../harness/json.ts'

export interface TcpRequest {
  readonly path: string
  readonly body: Json
}

export type Script = (socket: Socket, request: TcpRequest) => void

export interface TcpVendor extends AsyncDisposable {
  /** `http://127.0.0.1:port/v1`, for `base_url`. */
  readonly url: string
  /** Connections open now. */
  readonly open: ReadonlySet<Socket>
  /** What is done with requests from now on. */
  respond(script: Script): void
  close(): Promise<void>
}

export async function startTcpVendor(): Promise<TcpVendor> {
  let script: Script = (socket) => socket.destroy()
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    let received = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      for (let request = readRequest(received); request !== undefined; request = readRequest(received)) {
        received = received.subarray(request.length)
        script(socket, request)
      }
    })
    socket.on('error', () => undefined)
    socket.on('close', () => open.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = (): Promise<void> => closeServer(server, open)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    open,
    respond: (next) => void (script = next),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** The first whole request of these bytes, and how long it is. The gateway always announces the length of a body. */
function readRequest(bytes: Buffer): (TcpRequest & { readonly length: number }) | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const head = bytes.toString('latin1', 0, end)
  const length = end + 4 + Number(/^content-length: *(\d+)$/im.exec(head)?.[1] ?? 0)
  if (bytes.length < length) return undefined
  return { path: head.split(' ', 2)[1] ?? '', body: JSON.parse(bytes.toString('utf8', end + 4, length)) as Json, length }
}

async function closeServer(server: Server, open: ReadonlySet<Socket>): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  for (const socket of open) socket.destroy()
  await closed
}
