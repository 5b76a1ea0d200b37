/** Where tokens are asked for, and as which client of ours. */
import * as oauth from 'oauth4webapi'
import type { GuardedFetch } from '../guarded-fetch.ts'

export interface TokenEndpoint {
  readonly server: oauth.AuthorizationServer
  /** The client that this gateway is there. */
  readonly client: oauth.Client
  /** How it proves that. */
  readonly authentication: oauth.ClientAuth
  /** Whether plain HTTP is allowed: on loopback only, which the configuration sees to. */
  readonly allowHttp: boolean
  /** How the network is reached; absent: as everything else. */
  readonly fetch?: GuardedFetch | undefined
}

/** A token endpoint that says nothing for so long has not answered. */
const longestMs = 15_000

/** How requests of `oauth4webapi` go out to it. */
export function requestOptions({ allowHttp, fetch: own }: TokenEndpoint, signal: AbortSignal): oauth.TokenEndpointRequestOptions {
  return {
    signal: AbortSignal.any([signal, AbortSignal.timeout(longestMs)]),
    [oauth.allowInsecureRequests]: allowHttp,
    ...(own === undefined ? {} : { [oauth.customFetch]: own }),
  }
}
