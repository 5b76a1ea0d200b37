/** The headers an administrator wants on every request to an upstream, as they go out. What is set there is not set twice. */
import type { UpstreamConfig } from '@turnward/contract/config'

export interface FixedHeaders {
  /** Flat list of names and values. */
  readonly flat: readonly string[]
  /** In lower case. */
  readonly names: ReadonlySet<string>
}

const known = new WeakMap<UpstreamConfig, FixedHeaders>()

export function fixedHeadersOf(config: UpstreamConfig): FixedHeaders {
  let fixed = known.get(config)
  if (fixed === undefined) {
    const names = new Set(Object.keys(config.headers).map((name) => name.toLowerCase()))
    known.set(config, (fixed = { flat: Object.entries(config.headers).flat(), names }))
  }
  return fixed
}
