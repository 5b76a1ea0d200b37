/**
 * One transport per upstream, kept across configuration revisions as long as its settings stay the same, so
 * that a reload does not drop warm connections. A replaced transport is closed once its last request ended.
 */
import { digestJson } from '../core/hash.ts'
import type { Snapshot, Upstream } from '../config/snapshot.ts'
import { ScriptedTransport } from '../providers/scripted/scripted-transport.ts'
import { HttpTransport } from './http-transport.ts'
import type { UpstreamTransport } from './transport.ts'

interface Entry {
  readonly digest: string
  readonly transport: UpstreamTransport
}

export class Upstreams {
  readonly #entries = new Map<string, Entry>()
  readonly #byObject = new WeakMap<Upstream, UpstreamTransport>()

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

function createTransport(upstream: Upstream): UpstreamTransport {
  return upstream.config.kind === 'scripted' ? new ScriptedTransport(upstream.config.steps) : new HttpTransport(upstream.config)
}
