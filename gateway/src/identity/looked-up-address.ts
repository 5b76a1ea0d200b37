/** Dialling exactly the address that was looked at: a host is resolved once, each of its addresses is judged, and none is looked up again. */
import { lookup as lookUp, type LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'

/** Host of an address in lower case, an IPv6 one without its brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
}

/** All addresses of a host, in the order of the resolver. Rejects when it has none. */
export function resolveAll(host: string): Promise<readonly LookupAddress[]> {
  return new Promise((resolve, reject) =>
    lookUp(host, { all: true, verbatim: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error))),
  )
}

/** Answers with the address that was looked at, whatever a resolver would say now. */
export function pinnedTo({ address, family }: LookupAddress): LookupFunction {
  return (_host, options, callback) => {
    if (options.all === true) callback(null, [{ address, family }])
    else callback(null, address, family)
  }
}
