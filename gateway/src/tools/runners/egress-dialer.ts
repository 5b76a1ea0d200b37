/**
 * Opens the connections of a sandboxed server to the outside. A name is resolved once, every address is judged, and
 * exactly an address that was judged is dialled: nothing can change in between.
 */
import { lookup } from 'node:dns/promises'
import { connect, isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { addressRefusal, type Destination, type EgressRefusal } from '../../config/egress-rules.ts'

export interface DialerOptions {
  /** All addresses of a name, for tests. */
  readonly resolve?: ((host: string) => Promise<readonly string[]>) | undefined
  /** Opens a connection to an address, for tests. */
  readonly connect?: ((address: string, port: number) => Socket) | undefined
}

export type Dialled =
  | { readonly kind: 'connected'; readonly socket: Socket }
  | { readonly kind: 'refused'; readonly refusal: EgressRefusal }
  | { readonly kind: 'unreachable' }

const maxAddresses = 4
/** At once. A server that comes and goes faster than names resolve and hosts answer must not pile them up. */
const maxDialling = 128
const dialMs = 5000
const resolveMs = 10_000
const plainConnect = (host: string, port: number) => connect({ host, port, allowHalfOpen: true, noDelay: true })

export class EgressDialer {
  readonly #resolve: (host: string) => Promise<readonly string[]>
  readonly #connect: (address: string, port: number) => Socket
  readonly #sockets = new Set<Socket>()
  #isClosed = false
  #dialling = 0

  constructor({ resolve, connect: open }: DialerOptions) {
    this.#resolve = resolve ?? (async (host) => (await lookup(host, { all: true })).map(({ address }) => address))
    this.#connect = open ?? plainConnect
  }

  /** Dials a listed destination for `client`, and gives up when that is gone. Never rejects. */
  async dial(destination: Destination, client: Duplex): Promise<Dialled> {
    if (this.#dialling >= maxDialling) return { kind: 'unreachable' }
    this.#dialling += 1
    try {
      const { host, port } = destination
      // An address is dialled only when the administrator wrote that very address.
      const { addresses, refusal } = isIP(host) === 0 ? await this.#addresses(destination) : { addresses: [host] }
      if (refusal !== undefined) return { kind: 'refused', refusal }
      for (const address of addresses.slice(0, maxAddresses)) {
        if (this.#isClosed || client.destroyed) break
        const socket = await this.#open(address, port, client)
        if (socket !== undefined) return { kind: 'connected', socket }
      }
      return { kind: 'unreachable' }
    } finally {
      this.#dialling -= 1
    }
  }

  /** Cuts every connection; none is made after this. */
  close(): void {
    this.#isClosed = true
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Those that may be dialled; a refusal when there is none. */
  async #addresses(destination: Destination): Promise<{ readonly addresses: readonly string[]; readonly refusal?: EgressRefusal }> {
    const unresolved = { addresses: [], refusal: { why: 'the host name does not resolve' } }
    let found: readonly string[]
    try {
      found = await within(resolveMs, this.#resolve(destination.host))
    } catch {
      return unresolved
    }
    const refusals = found.map((address) => addressRefusal(destination, address))
    const addresses = found.filter((_address, index) => refusals[index] === undefined)
    if (addresses.length > 0) return { addresses }
    // The line that would allow it is told only when it would allow all of them.
    const refusal = refusals.find((one) => one?.add === undefined) ?? refusals[0]
    return refusal === undefined ? unresolved : { addresses, refusal }
  }

  #open(address: string, port: number, client: Duplex): Promise<Socket | undefined> {
    const socket = this.#connect(address, port)
    this.#sockets.add(socket)
    const abandon = (): void => {
      socket.destroy()
    }
    client.once('close', abandon)
    return new Promise((resolve) => {
      socket.setTimeout(dialMs, () => socket.destroy())
      socket.on('error', () => {})
      socket.once('close', () => {
        this.#sockets.delete(socket)
        client.off('close', abandon)
        resolve(undefined)
      })
      socket.once('connect', () => {
        socket.removeAllListeners('timeout').setTimeout(0)
        client.off('close', abandon)
        resolve(socket)
      })
    })
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('timeout')), ms)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
