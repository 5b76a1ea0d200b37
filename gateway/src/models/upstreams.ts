/**
 * One transport per upstream, kept across configuration revisions as long as its settings stay the same, so
 * that a reload does not drop warm connections. A replaced transport is closed once its last request ended.
 */
import { TurnwardError } from '../core/error.ts'
import { digestJson } from '../core/hash.ts'
import type { Snapshot, Upstream } from '../config/snapshot.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { providers } from '../providers/providers.ts'
import type { UpstreamTransport } from '../providers/transport.ts'
import type { HealthHooks } from './balancing/running-exchange.ts'
import { UpstreamHealth } from './balancing/upstream-health.ts'
import { HttpTransport } from './http-transport.ts'
import { StreamUsage } from './stream-usage.ts'

interface Entry {
  readonly digest: string
  readonly transport: UpstreamTransport
}

export class Upstreams {
  /** Which of them refuse to be asked for usage. */
  readonly streamUsage = new StreamUsage()
  /** How they are. */
  readonly health: UpstreamHealth
  readonly #entries = new Map<string, Entry>()
  readonly #byObject = new WeakMap<Upstream, UpstreamTransport>()

  constructor({ clock = systemClock, ...hooks }: HealthHooks & { readonly clock?: Clock } = {}) {
    this.health = new UpstreamHealth(clock, hooks)
  }

  /** The transport of an upstream; made on first use. */
  of(upstream: Upstream): UpstreamTransport {
    const known = this.#byObject.get(upstream)
    if (known !== undefined) return known
    const digest = digestJson(upstream.config)
    const current = this.#entries.get(upstream.name)
    const transport = current?.digest === digest ? current.transport : createTransport(upstream)
    // A transport replaced here may still serve running requests: it is left to them and closes its idle sockets itself.
    this.#entries.set(upstream.name, { digest, transport })
    this.#byObject.set(upstream, transport)
    return transport
  }

  /** Forgets transports of upstreams the snapshot no longer has. */
  retain(snapshot: Snapshot): void {
    for (const name of this.#entries.keys()) {
      if (!snapshot.upstreams.has(name)) this.#entries.delete(name)
    }
  }

  async close(): Promise<void> {
    const all = [...this.#entries.values()]
    this.#entries.clear()
    await Promise.allSettled(all.map((entry) => entry.transport.close()))
  }
}

function createTransport({ name, config }: Upstream): UpstreamTransport {
  const own = providers[config.kind].transport?.(config)
  if (own !== undefined) return own
  if (!('base_url' in config))
    throw new TurnwardError('gateway.internal', { subject: name, why: 'the upstream has neither an address nor a transport' })
  return new HttpTransport(name, config)
}
