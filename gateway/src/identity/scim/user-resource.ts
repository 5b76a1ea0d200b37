/** A person as a directory writes them: what is read of it, what is kept, and how it is shown again. Pure. */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import type { DirectoryUser } from '../../store/directories.ts'
import { keyIn, schemaUris, valueIn } from './attributes.ts'
import { badRequest } from './scim-error.ts'

/** What counts of a person here. */
export interface ReadUser {
  readonly userName: string
  readonly externalId: string | null
  readonly active: boolean
  readonly name: string | null
  readonly emails: readonly string[]
  /** Everything else as it was written, without what is ours or secret. */
  readonly attributes: JsonObject
}

export type UserAttribute = 'userName' | 'email' | 'externalId'

/** What we say ourselves, and what nobody keeps. */
const notKept = ['id', 'meta', 'schemas', 'groups', 'password']
const mostCharacters = 32 * 1024
const longestName = 320

/** Throws `invalidValue`. */
export function readUser(resource: JsonObject): ReadUser {
  const attributes = Object.fromEntries(Object.entries(resource).filter(([key]) => !notKept.includes(key.toLowerCase())))
  if (JSON.stringify(attributes).length > mostCharacters)
    throw badRequest('invalidValue', `a user has at most ${mostCharacters} characters`)
  const userName = valueIn(resource, 'userName')
  if (typeof userName !== 'string' || userName.trim() === '' || userName.length > longestName)
    throw badRequest('invalidValue', `\`userName\` must have 1 to ${longestName} characters`)
  const key = keyIn(attributes, 'active')
  const active = readBoolean(valueIn(resource, 'active'))
  return {
    userName,
    externalId: textOf(valueIn(resource, 'externalId')),
    active,
    name: nameOf(resource),
    emails: emailsOf(resource),
    attributes: { ...attributes, [key ?? 'active']: active },
  }
}

/** The value by which the issuer knows the person. Throws `invalidValue` where the directory does not say it. */
export function identifyingValue(user: Pick<ReadUser, 'userName' | 'externalId' | 'emails'>, attribute: UserAttribute): string {
  const value = attribute === 'userName' ? user.userName : attribute === 'externalId' ? user.externalId : user.emails[0]
  if (value === undefined || value === null || value === '')
    throw badRequest('invalidValue', `\`${attribute}\` is what people of this directory are known by, and it is missing`)
  return value
}

/** The resource of a person that is kept. */
export function userResource(user: DirectoryUser, base: string): JsonObject {
  const attributes: unknown = JSON.parse(user.attributes)
  const kept = isObject(attributes) ? attributes : {}
  const isEnterprise = Object.keys(kept).some((key) => key.toLowerCase() === schemaUris.enterprise.toLowerCase())
  return {
    schemas: [schemaUris.user, ...(isEnterprise ? [schemaUris.enterprise] : [])],
    id: user.id,
    ...kept,
    meta: metaOf('User', user, base),
  }
}

/** What is said about a resource itself (RFC 7643, section 3.1). */
export function metaOf(
  kind: 'User' | 'Group',
  { id, created, changed, version }: Pick<DirectoryUser, 'id' | 'created' | 'changed' | 'version'>,
  base: string,
): JsonObject {
  return {
    resourceType: kind,
    created: new Date(created).toISOString(),
    lastModified: new Date(changed).toISOString(),
    location: `${base}/${kind}s/${id}`,
    version: `W/"${version}"`,
  }
}

/** Absent means active. Entra ID writes booleans as text. */
function readBoolean(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || value === true) return true
  if (value === false) return false
  const text = typeof value === 'string' ? value.toLowerCase() : undefined
  if (text === 'true' || text === 'false') return text === 'true'
  throw badRequest('invalidValue', '`active` must be true or false')
}

function nameOf(resource: JsonObject): string | null {
  const name = valueIn(resource, 'name')
  const parts = isObject(name) ? name : {}
  const [given, family] = [textOf(valueIn(parts, 'givenName')), textOf(valueIn(parts, 'familyName'))]
  const joined = [given, family].filter((part) => part !== null).join(' ')
  return textOf(valueIn(resource, 'displayName')) ?? textOf(valueIn(parts, 'formatted')) ?? (joined === '' ? null : joined)
}

const address = /^[^\s@,;<>]{1,128}@[^\s@,;<>]{1,190}$/
const mostEmails = 20

/** The primary one first. What is no plain address means nobody. */
function emailsOf(resource: JsonObject): readonly string[] {
  const emails = valueIn(resource, 'emails')
  const written = (Array.isArray(emails) ? emails : []).flatMap((one) => {
    const value = isObject(one) ? valueIn(one, 'value') : one
    const isPrimary = isObject(one) && [true, 'True', 'true'].includes(valueIn(one, 'primary') as string | boolean)
    return typeof value === 'string' && address.test(value) ? [{ value: value.toLowerCase(), isPrimary }] : []
  })
  const sorted = written.toSorted((one, other) => Number(other.isPrimary) - Number(one.isPrimary))
  return [...new Set(sorted.map(({ value }) => value))].slice(0, mostEmails)
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' && value !== '' && value.length <= longestName ? value : null
}
