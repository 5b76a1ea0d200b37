/**
 * The way of tokens that issuers of the configuration give out: a signature by a key of theirs, claims that are for us and now, and a
 * person whom they name. What was verified once is remembered by the digest of the whole token, for this very configuration, as
 * long as the key it is signed with is one of the issuer's.
 */
import type { Snapshot } from '../../../config/snapshot.ts'
import { BoundedMap } from '../../../core/bounded-map.ts'
import type { Clock } from '../../../core/clock.ts'
import { TurnwardError } from '../../../core/error.ts'
import { sha256 } from '../../../core/hash.ts'
import type { Issuer } from '../../../core/issuer.ts'
import { parseJson } from '../../../core/parse-json.ts'
import type { Principal } from '../../../core/principal.ts'
import { SubjectToken } from '../../../core/subject-token.ts'
import type { People } from '../../people/people.ts'
import type { Revocations } from '../../revocations.ts'
import { presentedCredentials, type PresentedToken } from '../presented-credentials.ts'
import type { Identity, Way } from '../way.ts'
import { checkClaims, checkStillValid, type TokenEnd } from './checking-claims.ts'
import { checkSignature } from './checking-signature.ts'
import { readCompactToken, refused, type CompactToken } from './compact-token.ts'
import type { IssuerKeys } from './issuer-keys.ts'
import type { Issuers } from './issuers.ts'
import { namedCaller, type NamedCaller } from './named-caller.ts'
import type { SigningKey } from './signing-keys.ts'

export interface TokenWayOptions {
  readonly issuers: Issuers
  readonly people: People
  readonly clock: Clock
  readonly revocations: Pick<Revocations, 'revokedAt'>
  /** `iss` of tokens that we give out ourselves, which are of another way; undefined where we give out none. */
  readonly ownIssuer?: (snapshot: Snapshot) => string | undefined
}

/** A token whose signature and claims are good. */
interface Verified {
  readonly id: string
  readonly issuer: Issuer
  readonly keys: IssuerKeys
  readonly key: SigningKey
  readonly end: TokenEnd
  /** Unix milliseconds; undefined where the token does not say. */
  readonly issued: number | undefined
  readonly named: NamedCaller
  readonly subject: SubjectToken
  /** What was made of it last. */
  identity?: Identity
}

const mostRemembered = 10_000
const laterStart = 'issuer:'
const noCredentials: ReadonlyMap<string, string> = new Map()

export function createTokenWay({ issuers, people, clock, revocations, ownIssuer }: TokenWayOptions): Way {
  /** Another configuration remembers nothing of this one: its audiences and its mapping may be others. */
  const remembered = new WeakMap<Snapshot['issuers'], BoundedMap<string, Verified>>()
  const verifying = new Map<string, Promise<Verified>>()

  function find({ text, scheme }: PresentedToken, snapshot: Snapshot): Identity | undefined | Promise<Identity | undefined> {
    const digest = sha256(text)
    const known = rememberedOf(snapshot).get(digest)
    if (known !== undefined && known.keys.holds(known.key)) {
      requireBearer(scheme, known.issuer)
      return admit(known, snapshot)
    }
    const token = readCompactToken(text)
    const { iss: address } = token.claims
    const issuer = issuers.called(address, snapshot)
    if (issuer === undefined) {
      // Another way knows what we have given out ourselves.
      const own = ownIssuer?.(snapshot)
      if (own !== undefined && address === own) return undefined
      throw refused('its issuer is none of those that are configured')
    }
    requireBearer(scheme, issuer)
    return once(digest, snapshot, () => verify(token, digest, issuer)).then((verified) => admit(verified, snapshot))
  }

  /** The same token is verified once, however many calls show it. */
  function once(digest: string, snapshot: Snapshot, verifyNow: () => Promise<Verified>): Promise<Verified> {
    const name = `${snapshot.revision} ${digest}`
    let running = verifying.get(name)
    if (running === undefined) {
      running = verifyNow()
        .then((verified) => {
          rememberedOf(snapshot).set(digest, verified)
          return verified
        })
        .finally(() => verifying.delete(name))
      verifying.set(name, running)
    }
    return running
  }

  async function verify(token: CompactToken, digest: string, issuer: Issuer): Promise<Verified> {
    const keys = issuers.keysOf(issuer)
    const key = await checkSignature(token, issuer, keys)
    const end = checkClaims(token, issuer, clock.now())
    const { jti, iat, cnf } = token.claims
    // What it is bound to would have to be shown, and nothing here looks at it.
    if (cnf !== undefined) throw refused('it is bound to a key of its holder (`cnf`), which is not taken from this issuer', issuer.name)
    const id = `tok_${sha256(typeof jti === 'string' ? `${issuer.issuer} ${jti}` : digest).slice(0, 22)}`
    const issued = typeof iat === 'number' ? iat * 1000 : undefined
    return {
      id,
      issuer,
      keys,
      key,
      end,
      issued,
      named: namedCaller(token.claims, issuer),
      subject: new SubjectToken(issuer.name, token.text),
    }
  }

  /** On every call, remembered or not: time does not wait for a cache, and people change. */
  function admit(verified: Verified, snapshot: Snapshot): Identity | Promise<Identity> {
    checkStillValid(verified.end, verified.issuer, clock.now())
    if (revocations.revokedAt('token', verified.id) !== undefined) throw new TurnwardError('auth.revoked_key', { subject: verified.id })
    const principal = people.principalOf(verified.named.person, snapshot)
    return principal instanceof Promise ? principal.then((made) => identityOf(verified, made)) : identityOf(verified, principal)
  }

  function identityOf(verified: Verified, principal: Principal): Identity {
    const shutOut = revocations.revokedAt('person', principal.id)
    if (shutOut !== undefined && (verified.issued ?? 0) <= shutOut)
      throw new TurnwardError('auth.revoked_key', { subject: verified.id, why: 'the person was shut out after it was given out' })
    if (verified.identity?.principal === principal) return verified.identity
    const { id, issuer, end, named, subject } = verified
    const { consumer, actors, claims } = named
    const later = `${laterStart}${JSON.stringify([issuer.name, principal.id, consumer, actors])}`
    const identity = {
      way: 'token',
      principal,
      id,
      issuer: issuer.name,
      consumer,
      actors,
      scopes: null,
      expires: end,
      claims,
      credentials: noCredentials,
      subject,
      later,
    } as const
    verified.identity = identity
    return identity
  }

  function rememberedOf({ issuers: configured }: Snapshot): BoundedMap<string, Verified> {
    let tokens = remembered.get(configured)
    if (tokens === undefined) {
      tokens = new BoundedMap({ most: mostRemembered })
      remembered.set(configured, tokens)
    }
    return tokens
  }

  return {
    name: 'token',
    find(presented, snapshot) {
      if (snapshot.issuers === undefined || snapshot.issuers.size === 0) return undefined
      const { token } = presentedCredentials(presented.headers, snapshot)
      return token === undefined ? undefined : find(token, snapshot)
    },
    async findLater(later, snapshot) {
      if (!later.startsWith(laterStart)) return undefined
      const [name, person, consumer, actors] = readLater(later)
      if (!snapshot.issuers.has(name)) throw refused('its issuer is not configured any more', name)
      const principal = await people.principal(person, snapshot)
      const id = `tok_${sha256(later).slice(0, 22)}`
      return {
        way: 'token',
        principal,
        id,
        issuer: name,
        consumer,
        actors,
        scopes: null,
        expires: null,
        claims: {},
        credentials: noCredentials,
        later,
      }
    },
  }
}

/** A proof would have to be looked at, and nobody here does. */
function requireBearer(scheme: PresentedToken['scheme'], issuer: Issuer): void {
  if (scheme !== 'bearer') throw refused('tokens of this issuer are not taken with the scheme DPoP', issuer.name)
}

function readLater(later: string): readonly [issuer: string, person: string, consumer: string | null, actors: readonly string[]] {
  const [name, person, consumer, actors] = parseJson(later.slice(laterStart.length)) as readonly unknown[]
  const list = Array.isArray(actors) ? actors.filter((actor) => typeof actor === 'string') : []
  return [String(name), String(person), typeof consumer === 'string' ? consumer : null, list]
}
