/**
 * TCP services of a sandboxed server: a unix socket for each, and whoever connects to it is connected to that service and
 * to nothing else. There is no protocol on these sockets, so there is nothing to be misread.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { authorityText, type TcpForward } from '../../config/egress-rules.ts'
import type { EgressDialer } from './egress-dialer.ts'
import { joinSockets } from './joined-sockets.ts'
import type { RefusedHosts } from './refused-hosts.ts'

export interface ForwardUse {
  /** `host:port` as it is written in the configuration. */
  readonly to: string
  connections: number
  /** Bytes of the server, and bytes for it. */
  sent: number
  received: number
}

export interface TcpForwards {
  readonly use: readonly ForwardUse[]
  close(): Promise<void>
}

export interface TcpForwardsOptions {
  readonly forwards: readonly TcpForward[]
  /** Path of the unix socket of each. */
  readonly sockets: readonly string[]
  readonly dialer: EgressDialer
  readonly refused: RefusedHosts
}

/** Of one service; connection pools of databases hold far fewer. */
const maxConnections = 64
/** A half-closed connection is not kept for ever. */
const halfOpenMs = 5 * 60_000
const keepAliveMs = 60_000
const nothing = Buffer.alloc(0)

/** Listens for every forward. Rejects when it cannot. */
export async function startTcpForwards({ forwards, sockets, dialer, refused }: TcpForwardsOptions): Promise<TcpForwards> {
  const clients = new Set<Socket>()
  const used = new Map(
    forwards.map((forward): [TcpForward, ForwardUse] => [
      forward,
      { to: authorityText(forward.host, forward.port), connections: 0, sent: 0, received: 0 },
    ]),
  )

  async function carry(forward: TcpForward, client: Socket): Promise<void> {
    const use = used.get(forward)
    if (use !== undefined) use.connections += 1
    const dialled = await dialer.dial(forward, client)
    if (dialled.kind === 'refused') refused.note(forward.host, forward.port, dialled.refusal)
    if (dialled.kind !== 'connected') {
      client.destroy()
      return
    }
    const { socket } = dialled
    socket.setKeepAlive(true, keepAliveMs)
    for (const one of [client, socket]) one.once('end', () => one.setTimeout(halfOpenMs, () => one.destroy()))
    joinSockets(client, socket, nothing, {
      onBytes: (bytes, isToFar) => {
        if (use === undefined) return
        if (isToFar) use.sent += bytes
        else use.received += bytes
      },
    })
  }

  const servers = forwards.map((forward) => {
    const server = createServer({ allowHalfOpen: true }, (client) => {
      clients.add(client)
      client.once('close', () => clients.delete(client))
      client.on('error', () => {})
      carry(forward, client).catch(() => client.destroy())
    })
    server.maxConnections = maxConnections
    return server
  })
  const close = async (): Promise<void> => {
    for (const client of clients) client.destroy()
    await Promise.all(servers.map(closed))
  }
  try {
    await Promise.all(servers.map((server, index) => listening(server, sockets[index] ?? '')))
  } catch (error) {
    await close()
    throw error
  }
  return { use: [...used.values()], close }
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
