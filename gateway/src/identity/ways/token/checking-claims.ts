/**
 * Whether the claims of a token whose signature is good are for us, now, and of the kind that is wanted here. Every reason to
 * refuse has words of its own. Pure.
 */
import { TurnwardError } from '../../../core/error.ts'
import type { Issuer } from '../../../core/issuer.ts'
import type { JsonObject } from '../../../core/json.ts'
import { refused, type CompactToken } from './compact-token.ts'

/** When a token stops being good, Unix milliseconds, without the skew that is allowed for. */
export type TokenEnd = number

/** Earliest and latest moments that are taken for a time at all: before, it is in milliseconds or nonsense. */
const latestSeconds = 253_402_300_799

/**
 * Checks everything a signature does not say. Throws `auth.invalid_token`, `auth.wrong_audience`, `auth.expired_token`,
 * `auth.token_not_yet_valid`, `auth.wrong_kind_of_token` or `auth.person_needed`.
 */
export function checkClaims({ claims, type }: CompactToken, issuer: Issuer, now: number): TokenEnd {
  if (claims['iss'] !== issuer.issuer) throw refused('it names another issuer than the one whose key it is signed with', issuer.name)
  checkKind(claims, type, issuer)
  checkType(type, issuer)
  checkAudience(claims['aud'], issuer)
  const end = checkTimes(claims, issuer, now)
  if (!issuer.workloads && isOfApplication(claims))
    throw new TurnwardError('auth.person_needed', { subject: issuer.name, why: 'the token is of an application alone: it names no person' })
  return end
}

/** Whether it is time for a token that was checked before. Throws `auth.expired_token`. */
export function checkStillValid(end: TokenEnd, issuer: Issuer, now: number): void {
  if (now >= end + issuer.clockSkewMs) throw expired(issuer)
}

function checkAudience(audience: unknown, { name, audiences, tokens }: Issuer): void {
  if (audience === undefined)
    throw new TurnwardError('auth.wrong_audience', { subject: name, why: 'it has no `aud`: it is for nobody in particular' })
  const named = Array.isArray(audience) ? audience : [audience]
  if (named.length > 64 || !named.every((one) => typeof one === 'string')) throw refused('its `aud` is no list of names', name)
  // An ID token is for one client (OpenID Connect Core, section 3.1.3.7).
  const isFor = tokens === 'id' ? named.length === 1 && audiences.includes(named[0] ?? '') : named.some((one) => audiences.includes(one))
  if (!isFor) throw new TurnwardError('auth.wrong_audience', { subject: name, why: 'none of the audiences of this issuer is in its `aud`' })
}

function checkTimes(claims: JsonObject, issuer: Issuer, now: number): TokenEnd {
  const { clockSkewMs, maxLifetimeMs, name } = issuer
  const end = timeOf(claims, 'exp', name)
  const begin = timeOf(claims, 'nbf', name)
  const issued = timeOf(claims, 'iat', name)
  if (end === undefined) throw refused('it has no `exp`: it would be good for ever', name)
  checkStillValid(end, issuer, now)
  for (const [claim, time] of [
    ['nbf', begin],
    ['iat', issued],
  ] as const)
    if (time !== undefined && time > now + clockSkewMs)
      throw new TurnwardError('auth.token_not_yet_valid', { subject: name, why: `its \`${claim}\` is in the future` })
  if (end - (issued ?? now) > maxLifetimeMs + clockSkewMs)
    throw refused(`it is good for longer than ${maxLifetimeMs / 1000} seconds (\`max_lifetime_seconds\`)`, name)
  return end
}

function expired(issuer: Issuer): TurnwardError {
  return new TurnwardError('auth.expired_token', { subject: issuer.name })
}

/** Unix milliseconds. */
function timeOf(claims: JsonObject, name: string, issuer: string): number | undefined {
  const seconds = claims[name]
  if (seconds === undefined) return undefined
  if (typeof seconds !== 'number' || !Number.isFinite(seconds) || seconds < 0 || seconds > latestSeconds)
    throw refused(`its \`${name}\` is no time in seconds`, issuer)
  return seconds * 1000
}

/** RFC 8725, section 3.11: a token of another type is for something else, whatever its claims say. */
function checkType(type: string, { name, types }: Issuer): void {
  if (types.includes(type)) return
  const shown = /^[a-z0-9+./-]{1,32}$/.test(type) ? `\`${type}\`` : 'something else'
  throw refused(`its \`typ\` is ${shown}, and ${types.map((one) => `\`${one}\``).join(' or ')} is taken from this issuer (\`typ\`)`, name)
}

/** What a token is by its content, where its header does not say (RFC 9068 says it by `at+jwt`). */
function checkKind(claims: JsonObject, type: string, { name, tokens }: Issuer): void {
  const kind = kindOf(claims, type)
  if (kind === tokens || kind === undefined) return
  const what = {
    id: 'an ID token',
    access: 'an access token',
    refresh: 'a refresh token',
    logout: 'a logout token',
    other: 'a token for something else',
  }[kind]
  const wanted = tokens === 'id' ? 'an ID token' : 'an access token'
  throw new TurnwardError('auth.wrong_kind_of_token', { subject: name, why: `it is ${what}, and ${wanted} is needed` })
}

type Kind = 'access' | 'id' | 'refresh' | 'logout' | 'other'

/** Types that other specifications give tokens that are signed with the same keys. */
const otherTypes: Readonly<Record<string, Kind>> = {
  'at+jwt': 'access',
  'logout+jwt': 'logout',
  'secevent+jwt': 'other',
  'dpop+jwt': 'other',
  'oauth-id-jag+jwt': 'other',
  'token-introspection+jwt': 'other',
  'oauth-authz-req+jwt': 'other',
}
/** As Keycloak says it in `typ` of the claims. */
const typeClaims: Readonly<Record<string, Kind>> = { Bearer: 'access', ID: 'id', Refresh: 'refresh', Offline: 'refresh', Logout: 'logout' }

function kindOf(claims: JsonObject, type: string): Kind | undefined {
  const byType = otherTypes[type]
  if (byType !== undefined) return byType
  if (claims['events'] !== undefined) return 'logout'
  const { typ: said } = claims
  const byClaim = typeof said === 'string' ? typeClaims[said] : undefined
  if (byClaim !== undefined) return byClaim
  // Claims that only ID tokens have (OpenID Connect Core, sections 2 and 3.3.2.11).
  return ['nonce', 'at_hash', 'c_hash', 's_hash'].some((claim) => claims[claim] !== undefined) ? 'id' : undefined
}

/** Whether an application has got the token for itself: as Entra, Auth0, Okta, Keycloak and RFC 9068 (section 2.2) show it. */
export function isOfApplication(claims: JsonObject): boolean {
  const { sub, idtyp, gty, cid, client_id: clientId, azp, scp, roles, oid, preferred_username: login } = claims
  if (idtyp === 'app' || gty === 'client-credentials') return true
  if (typeof sub === 'string' && (sub.endsWith('@clients') || [cid, clientId, azp].includes(sub))) return true
  if (typeof login === 'string' && login.startsWith('service-account-')) return true
  // Version 2.0 of Entra without the optional `idtyp`: an application has roles and no scopes, and is its own object.
  return Array.isArray(roles) && scp === undefined && oid !== undefined && oid === sub
}
