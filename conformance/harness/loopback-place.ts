/** A server of a test on loopback that can go away and come back at the same address. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export interface Place {
  readonly port: number
  open(): Promise<void>
  close(): Promise<void>
}

/** A port that stays the same over closing and opening. */
export async function openPlace(answer: (request: IncomingMessage, response: ServerResponse) => void, fixed = 0): Promise<Place> {
  const sockets = new Set<Socket>()
  let server: Server | undefined
  let port = fixed
  const open = async (): Promise<void> => {
    const opened = createServer(answer)
    opened.on('connection', (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    await new Promise<void>((resolve, reject) => opened.once('error', reject).listen(port, '127.0.0.1', resolve))
    port = (opened.address() as AddressInfo).port
    server = opened
  }
  await open()
  return {
    get port() {
      return port
    },
    open,
    async close() {
      const closing = server
      server = undefined
      if (closing === undefined) return
      const closed = new Promise<void>((resolve) => closing.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** The form that a request carries. */
export async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
}
