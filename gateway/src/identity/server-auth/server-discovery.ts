/** From the address of a server to the authorization server that issues tokens for it. Everything a server or an issuer says is checked on the way. */
import type { Challenge } from './auth-kind.ts'
import { NotReached, type Reach, type Resolve } from './reaching.ts'
import { findIssuerMetadata, type IssuerMetadata } from './issuer-metadata.ts'
import { findResourceMetadata } from './resource-metadata.ts'

export interface Discovered {
  /** What tokens are asked for (RFC 8707). */
  readonly resource: string
  /** Scopes the server knows; undefined where it does not say. */
  readonly scopes: readonly string[] | undefined
  readonly issuer: IssuerMetadata
}

export interface DiscoveryQuestion {
  /** Address of the server. */
  readonly url: string
  readonly challenge: Pick<Challenge, 'resourceMetadata'> | undefined
  /** Issuers that may be used; empty: any. */
  readonly allowed: readonly string[]
  /** Issuers that are used before others that the server names. */
  readonly preferred: readonly string[]
  readonly reach: Reach
  readonly signal: AbortSignal
  readonly resolve?: Resolve | undefined
}

/**
 * The authorization server of a server; undefined where the server says nothing of itself and no authorization server stands at
 * its own origin. Rejects with a `NotReached`.
 */
export async function discoverServer(question: DiscoveryQuestion): Promise<Discovered | undefined> {
  const { url, challenge, allowed, preferred, reach, signal, resolve } = question
  const said = await findResourceMetadata(url, challenge, reach, signal, resolve)
  if (said === undefined) return withoutResourceMetadata(question)
  const usable = said.issuers.filter((issuer) => allowed.length === 0 || allowed.includes(issuer))
  const issuer = usable.find((each) => preferred.includes(each)) ?? usable[0]
  if (issuer === undefined) throw new NotReached('the server names no authorization server that `issuers` allows')
  const metadata = await findIssuerMetadata(issuer, trusting(reach, allowed, preferred), signal, resolve)
  if (metadata === undefined) throw new NotReached('the authorization server says nothing of itself')
  return { resource: said.resource, scopes: said.scopes, issuer: metadata }
}

/** A configured issuer, whatever the server says. Rejects with a `NotReached`. */
export async function discoverIssuer(issuer: string, reach: Reach, signal: AbortSignal, resolve?: Resolve): Promise<IssuerMetadata> {
  const metadata = await findIssuerMetadata(issuer, trusting(reach, [issuer], []), signal, resolve)
  if (metadata === undefined) throw new NotReached('the authorization server says nothing of itself')
  return metadata
}

/** The same way of reaching, for what an administrator wrote down as well. */
export function trusting(reach: Reach, ...addresses: readonly (readonly string[])[]): Reach {
  const origins = addresses.flat().flatMap((address) => URL.parse(address)?.origin ?? [])
  return { ...reach, trusted: [...reach.trusted, ...origins] }
}

/** Servers of 2025-03-26, which have their authorization server at their own origin, if it says nothing of itself at the paths of that time. */
async function withoutResourceMetadata({ url, allowed, reach, signal, resolve }: DiscoveryQuestion): Promise<Discovered | undefined> {
  const { origin } = new URL(url)
  if (allowed.length > 0 && !allowed.includes(origin)) return undefined
  const metadata = await findIssuerMetadata(origin, trusting(reach, [origin]), signal, resolve)
  return metadata === undefined ? undefined : { resource: canonicalAddress(url), scopes: undefined, issuer: metadata }
}

/** Endpoints that servers of 2025-03-26 have where nothing says so ("Fallbacks for Servers without Metadata Discovery"). */
export function endpointsOfOrigin(url: string): Discovered {
  const { origin } = new URL(url)
  return {
    resource: canonicalAddress(url),
    scopes: undefined,
    issuer: {
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      registration_endpoint: `${origin}/register`,
      code_challenge_methods_supported: ['S256'],
    },
  }
}

/** The address of a server as tokens for it name it (MCP authorization, "Canonical Server URI"). */
export function canonicalAddress(url: string): string {
  const { origin, pathname, search } = new URL(url)
  return `${origin}${pathname === '/' ? '' : pathname}${search}`
}
