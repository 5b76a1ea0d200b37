/**
 * A TCP proxy that does to a connection what networks and failing machines do: cut it, refuse it, stall it, slow it down, or take
 * a request there and lose the answer. It knows nothing of what it carries.
 */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

interface Pair {
  readonly client: Socket
  readonly upstream: Socket
  /** The next bytes that come back are lost, and the connection with them. */
  swallows: boolean
}

export class FaultProxy implements AsyncDisposable {
  readonly port: number
  readonly #server: Server
  #upstreamPort: number
  readonly #pairs = new Set<Pair>()
  #refuses = false
  #delayMs = 0
  #flow: PromiseWithResolvers<void> | undefined
  #swallowing: { readonly isIt: (request: Buffer) => boolean; readonly done: () => void } | undefined

  private constructor(server: Server, upstreamPort: number) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    this.#upstreamPort = upstreamPort
    server.on('connection', (client) => this.#carry(client))
  }

  /** Listens on a free port of the loopback and forwards to another one. */
  static async to(upstreamPort: number): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new FaultProxy(server, upstreamPort)
  }

  /** The same address by way of the proxy. */
  through(url: string): string {
    const changed = new URL(url)
    changed.hostname = '127.0.0.1'
    changed.port = String(this.port)
    return changed.href
  }

  /** How many connections there are. */
  get connections(): number {
    return this.#pairs.size
  }

  /** New connections go to another port: what a failover does. Those there are stay. */
  redirect(upstreamPort: number): void {
    this.#upstreamPort = upstreamPort
  }

  /** Breaks every connection there is. */
  cut(): void {
    for (const { client, upstream } of this.#pairs) {
      client.resetAndDestroy()
      upstream.destroy()
    }
  }

  /** Breaks every connection there is and every new one. */
  refuse(): void {
    this.#refuses = true
    this.cut()
  }

  /** Delivers nothing and keeps everything open, new connections as well. */
  stall(): void {
    this.#flow ??= Promise.withResolvers()
  }

  /** Delivers every piece so many milliseconds late, in either direction. */
  delay(ms: number): void {
    this.#delayMs = ms
  }

  /** Behaves again. What was held is delivered. */
  behave(): void {
    this.#refuses = false
    this.#delayMs = 0
    this.#flow?.resolve()
    this.#flow = undefined
  }

  /** The next request that `isIt` reaches the other side, and its answer is lost with the connection. Resolves when it was. */
  swallowAnswer(isIt: (request: Buffer) => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#swallowing = { isIt, done: resolve }
    return promise
  }

  #carry(client: Socket): void {
    if (this.#refuses) return void client.resetAndDestroy()
    const upstream = connect({ port: this.#upstreamPort, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    const pair: Pair = { client, upstream, swallows: false }
    let done: (() => void) | undefined
    this.#pairs.add(pair)
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => {
        other.destroy()
        this.#pairs.delete(pair)
      })
    }
    this.#forward(client, upstream, (chunk) => {
      const swallowing = this.#swallowing
      if (swallowing?.isIt(chunk) !== true) return true
      this.#swallowing = undefined
      pair.swallows = true
      done = swallowing.done
      return true
    })
    this.#forward(upstream, client, () => {
      if (!pair.swallows) return true
      client.resetAndDestroy()
      upstream.destroy()
      done?.()
      return false
    })
  }

  /** One piece after the other; the next one is not even read before. `passes` sees each before it goes on. */
  #forward(from: Socket, to: Socket, passes: (chunk: Buffer) => boolean): void {
    const deliver = async (chunk: Buffer): Promise<void> => {
      if (this.#delayMs > 0) await pause(this.#delayMs)
      await this.#flow?.promise
      if (to.destroyed || !passes(chunk)) return
      if (!to.write(chunk)) await Promise.race([once(to, 'drain'), once(to, 'close')])
    }
    from.on('data', (chunk: Buffer) => {
      from.pause()
      deliver(chunk).then(
        () => from.resume(),
        () => from.destroy(),
      )
    })
    from.on('end', () => to.end())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.refuse()
    this.#flow?.resolve()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
