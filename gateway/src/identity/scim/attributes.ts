/** Attributes of a resource: found whatever their case (RFC 7643, section 2.1), and named by paths. Pure. */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { badRequest } from './scim-error.ts'

export const schemaUris = {
  user: 'urn:ietf:params:scim:schemas:core:2.0:User',
  group: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  enterprise: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
} as const

/** An attribute, its sub-attribute, and the extension it is of. */
export interface AttributePath {
  readonly extension: string | undefined
  readonly attribute: string
  readonly sub: string | undefined
}

const name = /^\$?[A-Za-z][\w-]{0,63}$/
const longestPath = 512

/** `userName`, `name.givenName`, `urn:…:User:department`. Throws `invalidPath`. */
export function readAttributePath(text: string): AttributePath {
  if (text.length > longestPath) throw badRequest('invalidPath', 'the path is too long')
  const { extension, rest } = withoutSchema(text)
  const [attribute = '', sub, more] = rest.split('.')
  if (!name.test(attribute) || (sub !== undefined && !name.test(sub)) || more !== undefined)
    throw badRequest('invalidPath', 'a path is `attribute`, `attribute.sub` or `attribute[filter].sub`')
  return { extension, attribute, sub }
}

/** What stands before the attribute: nothing for the core schemas, whose attributes are at the top. */
export function withoutSchema(text: string): { readonly extension: string | undefined; readonly rest: string } {
  const lower = text.toLowerCase()
  for (const uri of Object.values(schemaUris)) {
    if (!lower.startsWith(`${uri.toLowerCase()}:`)) continue
    return { extension: uri === schemaUris.enterprise ? uri : undefined, rest: text.slice(uri.length + 1) }
  }
  if (lower.startsWith('urn:')) throw badRequest('invalidPath', 'this schema is not known here')
  return { extension: undefined, rest: text }
}

/** The key under which an object has an attribute, in whatever case. */
export function keyIn(object: JsonObject, attribute: string): string | undefined {
  if (Object.hasOwn(object, attribute)) return attribute
  const lower = attribute.toLowerCase()
  return Object.keys(object).find((key) => key.toLowerCase() === lower)
}

/** Its value; undefined when it has none. */
export function valueIn(object: JsonObject, attribute: string): JsonValue | undefined {
  const key = keyIn(object, attribute)
  return key === undefined ? undefined : object[key]
}

/** All values a path leads to: those of each element where the attribute has several. */
export function valuesAt(resource: JsonObject, { extension, attribute, sub }: AttributePath): readonly JsonValue[] {
  const holder = extension === undefined ? resource : valueIn(resource, extension)
  const found = isObject(holder) ? valueIn(holder, attribute) : undefined
  const values = found === undefined || found === null ? [] : Array.isArray(found) ? found : [found]
  // An attribute with several values is compared by their `value`.
  const named = sub ?? (Array.isArray(found) ? 'value' : undefined)
  if (named === undefined) return values
  return values.flatMap((value) => {
    const inner = isObject(value) ? valueIn(value, named) : sub === undefined ? value : undefined
    return inner === undefined || inner === null ? [] : [inner]
  })
}
