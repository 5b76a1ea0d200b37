/** What a sandbox finds in place of a network: an address of its own loopback for each name, so that two services keep one port. Pure. */
import { isIP } from 'node:net'
import type { TcpForward } from '../../config/egress-rules.ts'

export interface SandboxListener {
  readonly address: string
  readonly port: number
  /** Name of the unix socket this leads to, in the folder of sockets. */
  readonly socket: string
}

export interface SandboxNetwork {
  /** Lines of `/etc/hosts`. */
  readonly hosts: readonly string[]
  readonly listeners: readonly SandboxListener[]
}

/** Names get 127.1.0.1 and the following; an address of the loopback is its own. `forwards` in the order of their sockets. */
export function sandboxNetwork(forwards: readonly TcpForward[]): SandboxNetwork {
  const names = [...new Set(forwards.map(({ name }) => name))].filter((name) => isIP(name) === 0)
  const addresses = new Map(names.map((name, index) => [name, `127.1.0.${index + 1}`]))
  return {
    hosts: [...addresses].map(([name, address]) => `${address} ${name}`),
    listeners: forwards.map(({ name, namedPort }, index) => ({
      address: addresses.get(name) ?? name,
      port: namedPort,
      socket: String(index),
    })),
  }
}
