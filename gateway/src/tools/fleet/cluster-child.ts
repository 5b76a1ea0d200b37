/**
 * A started server that the whole cluster has once (`per: cluster`). Whoever takes its lease runs the child; all others ask
 * that replica, request by request. Nobody runs it on the strength of a lease that may be over.
 */
import type { Hop } from '../../cluster/hop.ts'
import { holderOf, takeLease, type Lease, type LeaseOptions } from '../../cluster/leases.ts'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import type { StateStore } from '../../state/state-store.ts'
import type { RpcResponse } from '../codec/json-rpc.ts'
import type { Era } from '../codec/versions.ts'
import type { ConnectorEvents, Exchange, RequestOptions } from '../connectors/exchange.ts'
import { unavailable } from '../connectors/failure.ts'

/** What of the cluster a server needs that runs once in it. */
export interface ClusterParts extends LeaseOptions {
  readonly hop: Hop
}

const hopKind = 'server'

/** What the lease of a server is called. `digest`: of its configuration. */
const leaseOf = (server: string, digest: string): string => `server ${server} ${digest}`

/** The replica that runs a server which the cluster has once; undefined while none does. */
export async function replicaRunning(state: StateStore, server: string, digest: string): Promise<string | undefined> {
  const holder = await holderOf(state, leaseOf(server, digest))
  return holder === undefined ? undefined : (await state.get('instance', holder.instance))?.replica
}
/** How often a replica that asks another looks whether it still has the server, and whether its tools have changed. */
const lookMs = 2000

export class ClusterChildren {
  readonly #parts: ClusterParts
  /** Children that run here, by the name of their lease. */
  readonly #running = new Map<string, Exchange>()

  constructor(parts: ClusterParts) {
    this.#parts = parts
    parts.hop.handle(hopKind, (payload, signal) => this.#answer(payload, signal))
  }

  /** The server, wherever it runs; `start` starts it here. `digest`: of its configuration. Throws `mcp.server_unavailable`. */
  async open(
    server: string,
    digest: string,
    events: ConnectorEvents,
    start: (events: ConnectorEvents) => Promise<Exchange>,
  ): Promise<Exchange> {
    const name = leaseOf(server, digest)
    const lease = await takeLease(this.#parts, name).catch((error: unknown) => {
      throw unavailable(server, asTurnwardError(error).why ?? 'the state of the cluster cannot be reached')
    })
    if (!('lost' in lease)) return RemoteChild.open(this.#parts, server, name, lease.instance, lease.changes, events)
    try {
      const exchange = await start({
        onListChanged: () => {
          lease.touch()
          events.onListChanged()
        },
      })
      return this.#keep(name, lease, exchange)
    } catch (error) {
      await lease.release().catch(() => {})
      throw error
    }
  }

  #keep(name: string, lease: Lease, exchange: Exchange): Exchange {
    this.#running.set(name, exchange)
    const forget = (): void => {
      if (this.#running.get(name) === exchange) this.#running.delete(name)
    }
    const lost = lease.lost.then((why) => {
      forget()
      // Another replica may start it from now on.
      exchange.close().catch(() => {})
      return `its lease is over: ${why}`
    })
    const ended = exchange.ended.then(async (why) => {
      forget()
      await lease.release().catch(() => {})
      return why
    })
    return {
      era: exchange.era,
      capabilities: exchange.capabilities,
      request: (method, params, options) => exchange.request(method, params, options),
      ended: Promise.race([ended, lost]),
      async close() {
        forget()
        await exchange.close()
        await lease.release().catch(() => {})
      },
    }
  }

  async #answer(payload: JsonValue, signal: RequestOptions['signal']): Promise<JsonValue> {
    if (!isObject(payload) || typeof payload.name !== 'string') throw new TurnwardError('request.invalid', { subject: hopKind })
    const exchange = this.#running.get(payload.name)
    if (exchange === undefined)
      throw new TurnwardError('cluster.gone', { subject: payload.name.split(' ')[1], why: 'it does not run here' })
    const { method, params, headers, maxBytes } = payload
    if (typeof method !== 'string' || !isObject(params)) return { era: exchange.era, capabilities: exchange.capabilities }
    const extra = isObject(headers) ? (headers as Record<string, string>) : undefined
    const bound = typeof maxBytes === 'number' ? maxBytes : undefined
    return (await exchange.request(method, params, { signal, headers: extra, maxBytes: bound })) as unknown as JsonValue
  }
}

interface RemoteParts {
  readonly parts: ClusterParts
  readonly name: string
  readonly instance: string
  readonly era: Era
  readonly capabilities: JsonObject
}

/** The child as another replica has it. Progress it reports stays there. */
class RemoteChild implements Exchange {
  readonly era: Era
  readonly capabilities: JsonObject
  readonly #parts: ClusterParts
  readonly #name: string
  readonly #instance: string
  readonly #ended = Promise.withResolvers<string>()
  readonly #timer: NodeJS.Timeout

  static async open(
    parts: ClusterParts,
    server: string,
    name: string,
    instance: string,
    changes: number,
    events: ConnectorEvents,
  ): Promise<Exchange> {
    try {
      const told = await parts.hop.ask(instance, hopKind, { name }, AbortSignal.timeout(10_000))
      if (isObject(told) && (told.era === 'modern' || told.era === 'legacy'))
        return new RemoteChild(
          { parts, name, instance, era: told.era, capabilities: isObject(told.capabilities) ? told.capabilities : {} },
          changes,
          events,
        )
    } catch (error) {
      throw unavailable(server, `it runs at another replica: ${asTurnwardError(error).why ?? asTurnwardError(error).message}`)
    }
    throw unavailable(server, 'it runs at another replica, which says nothing of it')
  }

  private constructor({ parts, name, instance, era, capabilities }: RemoteParts, changes: number, events: ConnectorEvents) {
    this.#parts = parts
    this.#name = name
    this.#instance = instance
    this.era = era
    this.capabilities = capabilities
    let seen = changes
    this.#timer = setInterval(() => {
      holderOf(parts.state, name).then(
        (holder) => {
          if (holder?.instance !== instance) return this.#end('the replica that ran it has it no longer')
          if (holder.changes !== seen) events.onListChanged()
          seen = holder.changes
        },
        // Whether it still runs there nobody can say now; a call finds out.
        () => {},
      )
    }, lookMs)
    this.#timer.unref()
  }

  get ended(): Promise<string> {
    return this.#ended.promise
  }

  async request(method: string, params: JsonObject, { signal, headers, maxBytes }: RequestOptions): Promise<RpcResponse> {
    try {
      const asked: JsonObject = {
        name: this.#name,
        method,
        params,
        ...(headers === undefined ? {} : { headers }),
        ...(maxBytes === undefined ? {} : { maxBytes }),
      }
      return (await this.#parts.hop.ask(this.#instance, hopKind, asked, signal)) as unknown as RpcResponse
    } catch (error) {
      const failure = asTurnwardError(error)
      if (failure.code !== 'cluster.gone') throw error
      const why = failure.why ?? 'the replica that ran it is gone'
      this.#end(why)
      throw unavailable(this.#name.split(' ')[1] ?? '', why)
    }
  }

  async close(): Promise<void> {
    this.#end('closed')
  }

  #end(why: string): void {
    clearInterval(this.#timer)
    this.#ended.resolve(why)
  }
}
