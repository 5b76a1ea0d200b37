/**
 * Whether an upstream is asked for the usage of a stream. Some refuse `stream_options`, which the client did not send: they
 * are asked once more without it, and then left alone for a while, model by model, because an edge has many vendors behind it.
 */
import type { Upstream } from '../config/snapshot.ts'
import { BoundedMap } from '../core/bounded-map.ts'
import type { UpstreamResponse } from '../providers/transport.ts'

const rememberedMs = 10 * 60_000
const mostModels = 256
/** How vendors call a field wrong. */
const refusals: ReadonlySet<number> = new Set([400, 422])

export class StreamUsage {
  /** Models of an upstream as it is configured now, while they are left alone: a changed configuration asks anew. */
  readonly #refused = new WeakMap<Upstream, BoundedMap<string, true>>()

  modeFor(upstream: Upstream, model: string, now: number): 'ask' | 'as-asked' | 'never' {
    const { stream_usage: setting } = upstream.config
    if (setting !== 'auto') return setting === 'always' ? 'ask' : 'never'
    return this.#refused.get(upstream)?.get(model, now) === true ? 'as-asked' : 'ask'
  }

  noteRefusal(upstream: Upstream, model: string, now: number): void {
    let models = this.#refused.get(upstream)
    if (models === undefined) this.#refused.set(upstream, (models = new BoundedMap({ most: mostModels })))
    models.set(model, true, { expires: now + rememberedMs })
  }
}

/** Whether an answer may be the refusal of a field; its body says of which. */
export function mayRefuseField({ status }: UpstreamResponse): boolean {
  return refusals.has(status)
}

/** Whether a refusal is about the field we added. */
export function namesStreamOptions(body: Buffer): boolean {
  return body.includes('stream_options') || body.includes('include_usage')
}
