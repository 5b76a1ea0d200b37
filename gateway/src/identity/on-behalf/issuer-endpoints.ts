/** Token endpoints of configured issuers: where they are is asked of the issuer itself, and asked again from time to time. */
import * as oauth from 'oauth4webapi'
import { BoundedMap } from '../../core/bounded-map.ts'
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { digestJson } from '../../core/hash.ts'
import type { GuardedFetch, GuardedRequest } from '../guarded-fetch.ts'
import { clientAuthentication, type ClientProof } from './client-authentication.ts'
import type { TokenEndpoint } from './token-endpoint.ts'

/** What the configuration says of an issuer, as far as tokens are asked for there. */
export interface ExchangeIssuer {
  readonly issuer: string
  /** Where its metadata is, where that is not below the issuer. */
  readonly discovery?: string | undefined
  readonly allow_http: boolean
  readonly client?: (ClientProof & { readonly id: string }) | undefined
}

/** Metadata is believed for an hour. */
const believedMs = 3_600_000
const longestMs = 10_000

export class IssuerEndpoints {
  readonly #clock: Pick<Clock, 'now'>
  readonly #fetchFor: (issuer: ExchangeIssuer) => GuardedFetch
  readonly #known = new BoundedMap<string, Promise<TokenEndpoint>>({ most: 200 })

  /** `fetchFor`: how the addresses of an issuer are reached. */
  constructor(clock: Pick<Clock, 'now'>, fetchFor: (issuer: ExchangeIssuer) => GuardedFetch) {
    this.#clock = clock
    this.#fetchFor = fetchFor
  }

  /** Rejects with `mcp.no_credential` when it cannot be asked, or when the gateway is no client there. `subject`: the server that a token is wanted for. */
  at(name: string, issuer: ExchangeIssuer | undefined, subject: string): Promise<TokenEndpoint> {
    if (issuer?.client === undefined) {
      const why = issuer === undefined ? `there is no issuer \`${name}\`` : `\`identity.issuers.${name}\` has no \`client\``
      return Promise.reject(
        new TurnwardError('mcp.no_credential', { subject, why, fix: 'Say under `client` which client this gateway is there.' }),
      )
    }
    const key = digestJson({ issuer: issuer.issuer, discovery: issuer.discovery, http: issuer.allow_http, client: { ...issuer.client } })
    const now = this.#clock.now()
    const known = this.#known.get(key, now)
    if (known !== undefined) return known
    const found = this.#find(issuer, issuer.client).catch((cause: unknown) => {
      this.#known.delete(key)
      throw new TurnwardError('mcp.no_credential', {
        subject,
        why: `\`${name}\` cannot be asked where it gives tokens`,
        fix: `Check \`identity.issuers.${name}\`, and that it can be reached from here.`,
        cause,
      })
    })
    this.#known.set(key, found, { expires: now + believedMs })
    return found
  }

  async #find(issuer: ExchangeIssuer, { id, ...proof }: NonNullable<ExchangeIssuer['client']>): Promise<TokenEndpoint> {
    const reach = this.#fetchFor(issuer)
    const options = {
      [oauth.customFetch]: (url: string, asked: GuardedRequest) => reach(issuer.discovery ?? url, asked),
      [oauth.allowInsecureRequests]: issuer.allow_http,
      signal: AbortSignal.timeout(longestMs),
    }
    const address = new URL(issuer.issuer)
    const response = await oauth.discoveryRequest(address, options)
    const server = await oauth.processDiscoveryResponse(address, response)
    return { server, client: { client_id: id }, authentication: clientAuthentication(proof), allowHttp: issuer.allow_http, fetch: reach }
  }
}
