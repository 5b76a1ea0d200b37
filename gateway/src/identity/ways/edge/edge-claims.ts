/**
 * Claims that an edge passes on: of an ID token with its signature, which counts by itself, or as JSON in Base64, which is the word of
 * the edge. Where both are there the signed one counts, and what the others say must be of the same person.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Snapshot } from '../../../config/snapshot.ts'
import { BoundedMap } from '../../../core/bounded-map.ts'
import type { Clock } from '../../../core/clock.ts'
import { TurnwardError } from '../../../core/error.ts'
import { digestJson } from '../../../core/hash.ts'
import type { Issuer } from '../../../core/issuer.ts'
import { isObject, type JsonObject } from '../../../core/json.ts'
import { parseJson } from '../../../core/parse-json.ts'
import { checkClaims, checkStillValid } from '../token/checking-claims.ts'
import { checkSignature } from '../token/checking-signature.ts'
import { readCompactToken } from '../token/compact-token.ts'
import type { Issuers } from '../token/issuers.ts'
import { namedCaller, type NamedCaller } from '../token/named-caller.ts'
import type { SigningKey } from '../token/signing-keys.ts'
import { invalid, opaqueValue } from './header-values.ts'
import type { TrustedEdge } from './trusted-edges.ts'

/** Who the claims name, and until when; never, where nobody has signed them. */
export interface ClaimedCaller extends NamedCaller {
  readonly expires: number | null
}

interface Verified {
  readonly claims: JsonObject
  readonly key: SigningKey
  readonly end: number
}

const longestToken = 12 * 1024
const mostRemembered = 10_000
const utf8 = new TextDecoder('utf-8', { fatal: true })

export class EdgeClaims {
  readonly #issuers: Issuers
  readonly #clock: Clock
  readonly #verified = new BoundedMap<string, Verified>({ most: mostRemembered })

  constructor(issuers: Issuers, clock: Clock) {
    this.#issuers = issuers
    this.#clock = clock
  }

  /**
   * Undefined where the edge passes none on. Rejects with what is wrong with the token (`auth.*`), with `request.invalid`, or with
   * `auth.two_identities` where it says two things.
   */
  async read(edge: TrustedEdge, headers: IncomingHttpHeaders, { issuers }: Pick<Snapshot, 'issuers'>): Promise<ClaimedCaller | undefined> {
    const { signed: signedName, unsigned: unsignedNames } = edge.headers
    const text = signedName === undefined ? undefined : opaqueValue(headers, signedName, longestToken)
    const words = unsignedNames.flatMap((name) => {
      const value = opaqueValue(headers, name, longestToken)
      return value === undefined ? [] : [{ name, claims: claimsIn(value, name) }]
    })
    const issuer = edge.config.issuer === undefined ? undefined : issuers.get(edge.config.issuer)
    if (issuer === undefined || (text === undefined && words.length === 0)) return undefined
    const verified = text === undefined ? undefined : await this.#verify(text, issuer, edge)
    const subject = verified?.claims['sub'] ?? words[0]?.claims['sub']
    for (const { name, claims } of words) {
      if (claims['sub'] === undefined || claims['sub'] !== subject) throw contradicts(name, 'names another `sub` than the token')
      if (claims['iss'] !== undefined && claims['iss'] !== issuer.issuer)
        throw contradicts(name, 'names another `iss` than the issuer of the edge')
    }
    if (verified !== undefined) return { ...namedCaller(verified.claims, issuer), expires: verified.end }
    const together = Object.assign({}, ...words.map(({ claims }) => claims)) as JsonObject
    return { ...namedCaller(together, issuer), expires: null }
  }

  async #verify(text: string, issuer: Issuer, { name, config }: TrustedEdge): Promise<Verified> {
    // Issued to the edge, and not to us: its client is the audience.
    const expected: Issuer = { ...issuer, tokens: 'id', types: ['jwt', 'none'], audiences: config.audiences ?? issuer.audiences }
    const keys = this.#issuers.keysOf(issuer)
    const place = digestJson([name, text, expected.audiences, issuer.issuer, issuer.algorithms])
    const known = this.#verified.get(place)
    if (known !== undefined && keys.holds(known.key)) {
      checkStillValid(known.end, issuer, this.#clock.now())
      return known
    }
    const token = readCompactToken(text)
    const key = await checkSignature(token, issuer, keys)
    const verified = { claims: token.claims, key, end: checkClaims(token, expected, this.#clock.now()) }
    this.#verified.set(place, verified)
    return verified
  }
}

function claimsIn(value: string, name: string): JsonObject {
  if (/^[A-Za-z0-9+/_-]+={0,2}$/.test(value)) {
    try {
      const claims = parseJson(utf8.decode(Buffer.from(value, 'base64')))
      if (isObject(claims)) return claims
    } catch {
      // What is wrong with it would quote it.
    }
  }
  throw invalid(name, 'it is no JSON object in Base64')
}

function contradicts(name: string, why: string): TurnwardError {
  return new TurnwardError('auth.two_identities', { subject: name, why: `\`${name}\` ${why}` })
}
