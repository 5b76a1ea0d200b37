/**
 * Whether an upstream is asked for the usage of a stream. Some refuse `stream_options`, which the client did not send: they
 * are asked once more without it, and then left alone for a while, model by model, because an edge has many vendors behind it.
 */
import type { Upstream } from '../config/snapshot.ts'
import type { UpstreamResponse } from '../providers/transport.ts'

const rememberedMs = 10 * 60_000
const mostModels = 256
/** How vendors call a field wrong. */
const refusals: ReadonlySet<number> = new Set([400, 422])

export class StreamUsage {
  /** Of an upstream as it is configured now: a changed configuration asks anew. */
  readonly #refusedUntil = new WeakMap<Upstream, Map<string, number>>()

  modeFor(upstream: Upstream, model: string, now: number): 'ask' | 'as-asked' | 'never' {
    const { stream_usage: setting } = upstream.config
    if (setting !== 'auto') return setting === 'always' ? 'ask' : 'never'
    const until = this.#refusedUntil.get(upstream)?.get(model)
    return until !== undefined && now < until ? 'as-asked' : 'ask'
  }

  noteRefusal(upstream: Upstream, model: string, now: number): void {
    let models = this.#refusedUntil.get(upstream)
    if (models === undefined) this.#refusedUntil.set(upstream, (models = new Map()))
    models.delete(model)
    models.set(model, now + rememberedMs)
    const oldest = models.keys().next()
    if (models.size > mostModels && oldest.done !== true) models.delete(oldest.value)
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
