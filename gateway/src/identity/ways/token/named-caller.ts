/** Whom the claims of a token name: the person, the application, who acts for the person, and what conditions may know. Pure. */
import { TurnwardError } from '../../../core/error.ts'
import type { Issuer, MappedPart } from '../../../core/issuer.ts'
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { NamedPerson } from '../../people/people.ts'
import { isOfApplication } from './checking-claims.ts'
import { claimsAt, textAt } from './claim-paths.ts'
import { refused } from './compact-token.ts'

export interface NamedCaller {
  readonly person: NamedPerson
  readonly consumer: string | null
  readonly actors: readonly string[]
  readonly claims: Readonly<Record<string, JsonValue>>
}

const maxText = 256
const mostGroups = 1000
const mostEmails = 20
const mostActors = 8
const maxClaimsText = 4096

/** Who a token is for, and through what. Throws `auth.invalid_token`, `auth.incomplete_token` or `auth.too_many_groups`. */
export function namedCaller(claims: JsonObject, issuer: Issuer): NamedCaller {
  return {
    person: namedPerson(claims, issuer),
    consumer: consumerOf(claims, issuer),
    actors: actorsOf(claims, issuer),
    claims: sessionClaims(claims, issuer),
  }
}

/** The person that claims of an issuer name: those of a token, or of whoever has signed in. Throws `auth.incomplete_token` or `auth.too_many_groups`. */
export function namedPerson(claims: JsonObject, issuer: Issuer): NamedPerson {
  const isWorkload = isOfApplication(claims)
  // An application is known by its id, and never by a claim that a person of the same name could have.
  const user =
    isWorkload && issuer.mapping.user === undefined ? (consumerOf(claims, issuer) ?? textAt(claims, 'sub')) : userOf(claims, issuer)
  if (user === undefined)
    throw incomplete(
      issuer,
      issuer.mapping.user === undefined ? `it has no \`${issuer.user}\` that is text` : '`mapping.user` gives no text',
    )
  const subject = textAt(claims, issuer.subject) ?? textAt(claims, 'sub') ?? user
  return {
    issuer: issuer.name,
    subject: short(subject, issuer, issuer.subject),
    user: short(user, issuer, issuer.user),
    emails: emailsOf(claims, issuer),
    groups: groupsOf(claims, issuer),
    kind: isWorkload ? 'workload' : 'human',
    provision: issuer.provision,
  }
}

function userOf(claims: JsonObject, issuer: Issuer): string | undefined {
  const mapped = mappedTexts('user', claims, issuer)
  if (mapped !== undefined) return mapped.length === 1 ? mapped[0] : undefined
  // Whoever may write any address into their profile would be anybody.
  if (issuer.emails.includes(issuer.user) && isUnverified(claims, issuer))
    throw incomplete(issuer, `its \`${issuer.user}\` is not verified (\`email_verified\`), so it may be anybody's`)
  return textAt(claims, issuer.user)
}

/** Entra proves an address only where it says that the owner of its domain has (`xms_edov`); others say it where they have not. */
function isUnverified(claims: JsonObject, { preset }: Issuer): boolean {
  const { email_verified: verified, xms_edov: owned } = claims
  if (preset === 'entra-id') return owned !== true && owned !== 'true' && owned !== 1 && owned !== '1'
  return verified === false || verified === 'false'
}

const address = /^[^\s@,;<>]+@[^\s@,;<>]+$/

/** Addresses that mean the person as a reader; one that nobody has verified means nobody. */
function emailsOf(claims: JsonObject, issuer: Issuer): readonly string[] {
  const found =
    mappedTexts('email', claims, issuer) ?? (isUnverified(claims, issuer) ? [] : issuer.emails.flatMap((path) => claimsAt(claims, path)))
  const emails = found.filter((email): email is string => typeof email === 'string' && email.length <= maxText && address.test(email))
  return [...new Set(emails)].slice(0, mostEmails)
}

function groupsOf(claims: JsonObject, issuer: Issuer): readonly string[] {
  const mapped = mappedTexts('groups', claims, issuer)
  if (mapped === undefined) {
    if (issuer.groups.length === 0) return []
    requireGroups(claims, issuer)
  }
  const named = mapped ?? issuer.groups.flatMap((path) => claimsAt(claims, path))
  const groups = new Set<string>()
  for (const group of named) {
    if (typeof group !== 'string' || group === '') continue
    groups.add(issuer.groupNames.get(group) ?? short(group, issuer, 'groups'))
  }
  if (groups.size > mostGroups) throw tooManyGroups(issuer, `it names more than ${mostGroups} groups`)
  return [...groups]
}

/** Entra leaves groups out of a token when there are too many, and says so: whoever goes on without decides on half of what is known. */
function requireGroups(claims: JsonObject, issuer: Issuer): void {
  const { _claim_names: elsewhere, hasgroups: has } = claims
  const isElsewhere = isObject(elsewhere) && issuer.groups.some((path) => Object.hasOwn(elsewhere, path))
  if (isElsewhere || has === true || has === 'true')
    throw tooManyGroups(issuer, 'the person is in so many groups that the issuer left them out of the token (`_claim_names`, `hasgroups`)')
}

function tooManyGroups(issuer: Issuer, why: string): TurnwardError {
  return new TurnwardError('auth.too_many_groups', { subject: issuer.name, why })
}

function consumerOf(claims: JsonObject, issuer: Issuer): string | null {
  const mapped = mappedTexts('consumer', claims, issuer)
  for (const consumer of mapped ?? issuer.consumers.map((path) => textAt(claims, path)))
    if (consumer !== undefined) return short(consumer, issuer, 'consumer')
  return null
}

/** The nearest first (RFC 8693, section 4.1). A chain that is too long is no chain of which a part could be left out. */
function actorsOf(claims: JsonObject, issuer: Issuer): readonly string[] {
  const mapped = mappedTexts('actors', claims, issuer)
  if (mapped !== undefined) return bounded(mapped, issuer)
  const steps = issuer.actor.split('.')
  const name = steps.length === 1 ? 'sub' : (steps.pop() ?? 'sub')
  const chain = steps.at(-1) ?? 'act'
  const actors: string[] = []
  let [inside] = claimsAt(claims, steps.join('.'))
  while (inside !== undefined) {
    if (typeof inside === 'string' && actors.length === 0) return [short(inside, issuer, issuer.actor)]
    const actor: unknown = isObject(inside) ? inside[name] : undefined
    if (!isObject(inside) || typeof actor !== 'string' || actor === '')
      throw refused(`its \`${steps.join('.')}\` names nobody in \`${name}\``, issuer.name)
    actors.push(short(actor, issuer, issuer.actor))
    bounded(actors, issuer)
    inside = inside[chain]
  }
  return actors
}

function bounded(actors: readonly string[], issuer: Issuer): readonly string[] {
  if (actors.length > mostActors) throw refused(`more than ${mostActors} act for one another in it`, issuer.name)
  return actors
}

/** What conditions may read: those that are listed, as far as there is room. One that is left out is one that a condition does not find. */
function sessionClaims(claims: JsonObject, { claims: paths }: Issuer): Readonly<Record<string, JsonValue>> {
  if (paths.length === 0) return noClaims
  let room = maxClaimsText
  const kept: Record<string, JsonValue> = {}
  for (const path of paths) {
    const value = Object.hasOwn(claims, path) ? claims[path] : single(claimsAt(claims, path))
    if (value === undefined) continue
    room -= path.length + JSON.stringify(value).length
    if (room < 0) break
    kept[path] = value as JsonValue
  }
  return kept
}

const noClaims: Readonly<Record<string, JsonValue>> = Object.freeze({})

function single(values: readonly unknown[]): unknown {
  return values.length > 1 ? values : values[0]
}

/** What an expression of the mapping gives, as texts; undefined where there is none for this part. */
function mappedTexts(part: MappedPart, claims: JsonObject, issuer: Issuer): readonly string[] | undefined {
  const expression = issuer.mapping[part]
  if (expression === undefined) return undefined
  let given: unknown
  try {
    given = expression(claims)
  } catch {
    // Its own words may quote what the token says.
    throw incomplete(issuer, `\`mapping.${part}\` cannot be answered with its claims`)
  }
  const texts = Array.isArray(given) ? given : given === null || given === '' ? [] : [given]
  if (!texts.every((text): text is string => typeof text === 'string' && text !== ''))
    throw incomplete(issuer, `\`mapping.${part}\` gives something else than text`)
  return texts.map((text) => short(text, issuer, `mapping.${part}`))
}

function incomplete(issuer: Issuer, why: string): TurnwardError {
  return new TurnwardError('auth.incomplete_token', { subject: issuer.name, why })
}

/** A name that is kept, written down and compared. Names with control characters are nobody's. */
function short(text: string, issuer: Issuer, what: string): string {
  if (text.length > maxText || /\p{Cc}/u.test(text))
    throw incomplete(issuer, `a name in \`${what}\` is longer than ${maxText} characters, or has control characters`)
  return text
}
