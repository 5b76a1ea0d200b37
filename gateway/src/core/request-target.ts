/** The target of a request in origin form (RFC 9112, section 3.2.1), in its two parts. Pure. */

interface Targeted {
  readonly url?: string | undefined
}

/** Path of a request, without its query. */
export function pathOf({ url = '/' }: Targeted): string {
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}

/** The query of a request, without its `?`; empty when there is none. */
export function queryOf({ url = '/' }: Targeted): string {
  const query = url.indexOf('?')
  return query === -1 ? '' : url.slice(query + 1)
}
