/**
 * Access tokens of our own authorization server, where they come back: signed by a key of ours, for this very resource, not
 * expired, and bound to nothing that was not shown. What was verified once is remembered; who the person is now is asked each
 * time.
 */
import { decodeProtectedHeader, importJWK, jwtVerify, type CryptoKey } from 'jose'
import type { OAuthConfig } from '@turnward/contract/config/identity/oauth'
import { publicUrl } from '../../config/public-url.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { BoundedMap } from '../../core/bounded-map.ts'
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { sha256 } from '../../core/hash.ts'
import { isObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import type { Principal, Scope } from '../../core/principal.ts'
import type { Revocations } from '../revocations.ts'
import type { Identity, Presented } from '../ways/way.ts'
import { checkProof, type ProofPlaces } from './dpop-proof.ts'
import { laterStart, longestToken, ownIssuer, type OwnTokens } from './own-token-way.ts'
import { allScopes, resourceCalled, resourceUri } from './resources.ts'
import type { SigningKeys, SigningKeySet } from './signing-keys.ts'

export interface OwnTokenParts {
  readonly clock: Clock
  readonly keys: Pick<SigningKeys, 'current' | 'again'>
  /** Who a token is for, as it is now. Throws `auth.*` where it is nobody any more. */
  readonly principalOf: (person: TokenPerson, snapshot: Snapshot) => Principal | Promise<Principal>
  readonly revocations: Pick<Revocations, 'revokedAt'>
  readonly proofs: ProofPlaces
}

/** Whom a token names. */
export interface TokenPerson {
  readonly person: string
  /** Name of the issuer it signed in with; null for a local account or a workload of the configuration. */
  readonly issuer: string | null
}

interface Verified extends TokenPerson {
  readonly id: string
  readonly client: string
  readonly scopes: readonly Scope[]
  readonly actors: readonly string[]
  /** Unix milliseconds, both. */
  readonly issued: number
  readonly expires: number
  readonly audience: string
  /** Thumbprint of the key it is bound to. */
  readonly boundTo: string | undefined
}

interface Known {
  readonly verified: Verified
  /** What was made of it last. */
  identity?: Identity
}

const skewSeconds = 15
const mostKnown = 10_000
const mostActors = 8
const nothing = Object.freeze({})

export function createOwnTokens(parts: OwnTokenParts): OwnTokens {
  const { clock, principalOf } = parts
  const known = new WeakMap<Snapshot, BoundedMap<string, Known>>()
  const imported = new WeakMap<SigningKeySet, Map<string, Promise<CryptoKey>>>()

  const keyOf = async (config: OAuthConfig, kid: string): Promise<CryptoKey> => {
    for (const look of ['current', 'again'] as const) {
      const set = await parts.keys[look](config.keys)
      const jwk = set.keys.find((key) => key.kid === kid)
      if (jwk === undefined) continue
      const keys = imported.get(set) ?? new Map<string, Promise<CryptoKey>>()
      imported.set(set, keys)
      const { kty, crv, x, y, n, e, alg } = jwk
      const publicJwk = kty === 'EC' ? { kty, crv, x, y } : { kty, n, e }
      const key = keys.get(kid) ?? (importJWK(withoutUndefined(publicJwk), alg) as Promise<CryptoKey>)
      keys.set(kid, key)
      return key
    }
    throw refused('it is signed with a key that is not known any more')
  }

  const verify = async (token: string, config: OAuthConfig, snapshot: Snapshot): Promise<Verified> => {
    const { kid, alg } = headerOf(token)
    const key = await keyOf(config, kid)
    const { payload } = await jwtVerify(token, key, {
      algorithms: [alg],
      issuer: publicUrl(snapshot),
      typ: 'at+jwt',
      clockTolerance: skewSeconds,
      currentDate: new Date(clock.now()),
      requiredClaims: ['exp', 'iat', 'sub', 'aud', 'jti', 'client_id'],
    }).catch((cause: unknown) => {
      throw isExpiry(cause) ? new TurnwardError('auth.expired_token', { cause }) : refused('it is not good', cause)
    })
    return readClaims(payload, token)
  }

  /** A person who was shut out and let in again has what was given after that. */
  const requireNotRevoked = ({ id, person, issued }: Verified): void => {
    const ofPerson = parts.revocations.revokedAt('person', person) ?? -Infinity
    if (parts.revocations.revokedAt('token', id) !== undefined || issued <= ofPerson)
      throw new TurnwardError('auth.revoked_key', { subject: id, fix: 'Get a new token from the authorization server.' })
  }

  const identityOf = (entry: Known, principal: Principal): Identity => {
    if (entry.identity?.principal === principal) return entry.identity
    const { id, client, actors, scopes, expires, person, issuer } = entry.verified
    entry.identity = {
      way: 'token',
      principal,
      id,
      issuer: ownIssuer,
      consumer: client,
      actors,
      scopes,
      expires,
      claims: nothing,
      credentials: new Map(),
      later: `${laterStart}${JSON.stringify({ person, issuer, client, actors, scopes })}`,
    }
    return entry.identity
  }

  const find = async (
    token: string,
    scheme: 'bearer' | 'dpop',
    presented: Presented,
    config: OAuthConfig,
    snapshot: Snapshot,
  ): Promise<Identity> => {
    if (token.length > longestToken) throw refused('it is too long to be one of ours')
    const entries = known.get(snapshot) ?? new BoundedMap<string, Known>({ most: mostKnown })
    known.set(snapshot, entries)
    const digest = sha256(token)
    let entry = entries.get(digest, clock.now())
    if (entry === undefined) {
      const verified = await verify(token, config, snapshot)
      entry = { verified }
      entries.set(digest, entry, { size: 1, expires: verified.expires })
    }
    const { verified } = entry
    const path = (presented.url ?? '/').split('?', 1)[0] ?? '/'
    const base = publicUrl(snapshot)
    // Compared as a whole: a token for one gateway is nothing to another. One for all of us is good at each.
    if (verified.audience !== base && verified.audience !== resourceUri(base, resourceCalled(path)))
      throw new TurnwardError('auth.wrong_audience', {
        why: 'it was given out for another resource',
        fix: 'Ask the authorization server for a token with this address as its `resource`.',
      })
    if (verified.boundTo === undefined) {
      if (scheme === 'dpop') throw refused('it is bound to no key')
    } else {
      if (scheme !== 'dpop') throw refused('it is bound to a key, and no proof of that key came with it')
      await checkProof(parts.proofs, { presented, token, boundTo: verified.boundTo, uri: `${base}${path}` })
    }
    requireNotRevoked(verified)
    return identityOf(entry, await principalOf(verified, snapshot))
  }

  return {
    find({ text, scheme }, presented, snapshot) {
      const config = snapshot.identity.oauth
      if (config === undefined) throw refused('nobody here gives out tokens')
      return find(text, scheme, presented, config, snapshot)
    },
    async findLater(later, snapshot) {
      const kept = parseJson(later) as Pick<Verified, 'person' | 'issuer' | 'client' | 'actors' | 'scopes'>
      const verified = {
        ...kept,
        id: `tok_${sha256(later).slice(0, 22)}`,
        issued: Infinity,
        expires: Infinity,
        audience: '',
        boundTo: undefined,
      }
      return identityOf({ verified }, await principalOf(verified, snapshot))
    },
  }
}

/** The header of a token in its one form: nothing else that would be read the same, and only what we write ourselves. */
function headerOf(token: string): { readonly kid: string; readonly alg: 'ES256' | 'RS256' } {
  // The decoders of the platform let bits at the end of a part be anything.
  if (token.split('.').some((part) => Buffer.from(part, 'base64url').toString('base64url') !== part))
    throw refused('it is not in its one form')
  let header: ReturnType<typeof decodeProtectedHeader>
  try {
    header = decodeProtectedHeader(token)
  } catch (cause) {
    throw refused('it cannot be read', cause)
  }
  const { kid, alg, typ, ...others } = header
  const isOurs = typ === 'at+jwt' && typeof kid === 'string' && (alg === 'ES256' || alg === 'RS256') && Object.keys(others).length === 0
  if (!isOurs) throw refused('it is no access token of ours')
  return { kid, alg }
}

function readClaims(payload: Readonly<Record<string, unknown>>, token: string): Verified {
  const { sub, aud, exp, iat, client_id: client, scope, idp, act, cnf, gid } = payload
  if (
    typeof sub !== 'string' ||
    typeof aud !== 'string' ||
    typeof exp !== 'number' ||
    typeof iat !== 'number' ||
    typeof client !== 'string'
  )
    throw refused('it lacks claims')
  const boundTo = isObject(cnf) ? cnf.jkt : undefined
  // Bound in a way that nothing here could check.
  if (cnf !== undefined && typeof boundTo !== 'string') throw refused('it is bound to something that is not known')
  const wanted = new Set(typeof scope === 'string' ? scope.split(' ') : [])
  return {
    id: typeof gid === 'string' ? gid : `tok_${sha256(token).slice(0, 22)}`,
    person: sub,
    issued: iat * 1000,
    issuer: typeof idp === 'string' ? idp : null,
    client,
    scopes: allScopes.filter((one) => wanted.has(one)),
    actors: actorsOf(act),
    expires: (exp + skewSeconds) * 1000,
    audience: aud,
    boundTo: typeof boundTo === 'string' ? boundTo : undefined,
  }
}

/** RFC 8693, section 4.1: who acts stands outermost. */
function actorsOf(act: unknown): readonly string[] {
  const actors: string[] = []
  for (let at = act; isObject(at) && actors.length < mostActors; at = at.act) if (typeof at.sub === 'string') actors.push(at.sub)
  return actors
}

function isExpiry(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ERR_JWT_EXPIRED'
}

function refused(why: string, cause?: unknown): TurnwardError {
  return new TurnwardError('auth.invalid_token', { why, fix: 'Get a new token from the authorization server.', cause })
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as { [K in keyof T]: NonNullable<T[K]> }
}
