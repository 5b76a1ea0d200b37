/**
 * What an issuer of the configuration has said of a person, shown by a client to get a token of ours: an access token of the
 * person (RFC 8693), or an assertion that the person may use us through this client (ID-JAG).
 */
import { jwtVerify } from 'jose'
import type { Snapshot } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import type { People } from '../people/people.ts'
import type { Way } from '../ways/way.ts'
import { readCompactToken } from '../ways/token/compact-token.ts'
import type { Issuers } from '../ways/token/issuers.ts'
import { namedPerson } from '../ways/token/named-caller.ts'

/** Whom the issuer means, and until when its word is good. */
export interface Asserted {
  readonly person: string
  /** Name of the issuer. */
  readonly issuer: string
  /** Who acts for the person already, the nearest first. */
  readonly actors: readonly string[]
  /** Unix milliseconds. */
  readonly expires: number
}

/** An assertion that may be shown once, as what it is known by. */
export interface AssertedOnce extends Asserted {
  readonly id: string
  /** `iss` of whoever made it. */
  readonly by: string
}

export interface InboundAssertions {
  /** The person of an access token. Rejects with `auth.*`. */
  ofToken(token: string, snapshot: Snapshot): Promise<Asserted>
  /** The person of an assertion for this client and nobody else. Rejects with `auth.*`. */
  ofAssertion(assertion: string, for_: { readonly client: string; readonly audience: string }, snapshot: Snapshot): Promise<AssertedOnce>
}

export interface InboundAssertionParts {
  /** The way of tokens of issuers. */
  readonly tokenWay: Way
  readonly issuers: Issuers
  readonly people: People
  readonly clock: Clock
}

const longestAssertionSeconds = 600

export function createInboundAssertions({ tokenWay, issuers, people, clock }: InboundAssertionParts): InboundAssertions {
  return {
    async ofToken(token, snapshot) {
      const identity = await tokenWay.find({ headers: { authorization: `Bearer ${token}` } }, snapshot)
      if (identity === undefined || identity.issuer === null) throw refused('it is of no issuer that is configured')
      const { principal, issuer, actors, expires } = identity
      return { person: principal.id, issuer, actors, expires: expires ?? clock.now() }
    },
    async ofAssertion(text, { client, audience }, snapshot) {
      const token = readCompactToken(text)
      const issuer = issuers.called(token.claims['iss'], snapshot)
      if (issuer === undefined) throw refused('its issuer is none of those that are configured')
      const key = issuer.algorithms.includes(token.algorithm)
        ? await issuers.keysOf(issuer).keyFor(token.keyId, token.algorithm)
        : undefined
      if (key === undefined) throw refused('it is signed with none of the keys of its issuer')
      const { payload } = await jwtVerify(text, key.key, {
        algorithms: [token.algorithm],
        issuer: issuer.issuer,
        audience,
        typ: 'oauth-id-jag+jwt',
        clockTolerance: issuer.clockSkewMs / 1000,
        maxTokenAge: longestAssertionSeconds,
        currentDate: new Date(clock.now()),
        requiredClaims: ['jti', 'exp', 'iat', 'sub', 'client_id'],
      }).catch((cause: unknown) => {
        throw refused('it is not good for this, or not any more', cause)
      })
      const { jti = '', exp = 0, client_id: meant } = payload
      // Who has stolen it from another client gets nothing.
      if (meant !== client) throw refused('it was made for another client')
      const principal = await people.principalOf(namedPerson(token.claims, issuer), snapshot)
      return { person: principal.id, issuer: issuer.name, actors: [], expires: exp * 1000, id: jti, by: issuer.issuer }
    },
  }
}

function refused(why: string, cause?: unknown): TurnwardError {
  return new TurnwardError('auth.invalid_token', { why, cause })
}
