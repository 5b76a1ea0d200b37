/** What a request says of answers that are kept, in `cache-control` (RFC 9111, 5.2.1). */

export interface AskedFreshness {
  /** Nothing that is kept is wanted, nor is its answer to be kept. */
  readonly noStore: boolean
  /** Nothing that is kept is wanted. */
  readonly noCache: boolean
  /** What is older is not wanted, in milliseconds. */
  readonly maxAgeMs: number
}

/** Directives nobody knows say nothing; an age that is none is the strictest. */
export function askedFreshness(header: string | undefined): AskedFreshness {
  const said = (header ?? '').slice(0, 1024).toLowerCase().split(',')
  const directives = new Map(said.map((directive) => split(directive.trim())))
  const maxAge = directives.get('max-age')
  const maxAgeMs = maxAge === undefined ? Infinity : /^"?\d{1,9}"?$/.test(maxAge) ? Number(maxAge.replaceAll('"', '')) * 1000 : 0
  return { noStore: directives.has('no-store'), noCache: directives.has('no-cache') || maxAgeMs === 0, maxAgeMs }
}

function split(directive: string): readonly [string, string] {
  const at = directive.indexOf('=')
  return at < 0 ? [directive, ''] : [directive.slice(0, at).trim(), directive.slice(at + 1).trim()]
}
