/** A client below HTTP: writes the bytes it is told to, keeps what comes back, and knows when the other side has closed. */
import { connect, type Socket } from 'node:net'

export interface RawConnection {
  readonly socket: Socket
  /** All bytes so far, as latin1. */
  text(): string
  /** Resolves when the connection is gone, however it went. */
  readonly closed: Promise<void>
}

export function dial(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(Number(port), hostname)
    const closed = new Promise<void>((gone) => socket.once('close', () => gone()))
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', reject)
    socket.once('connect', () => resolve({ socket, closed, text: () => Buffer.concat(chunks).toString('latin1') }))
  })
}

/** The head of a POST with a JSON body of this length. */
export function postHead(path: string, key: string, length: number | string, more = ''): string {
  return `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\ncontent-length: ${length}\r\n${more}\r\n`
}

/** Status of the first answer in these bytes; 0 when there is none. */
export function statusOf(text: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0)
}
