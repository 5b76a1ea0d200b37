/** Claims by their path. Pure, and bounded in what it goes through. */
import { isObject, type JsonObject } from '../../../core/json.ts'

const mostValues = 2000

/**
 * Everything at a path: `realm_access.roles` is in an object, `memberships.name` in each object of a list. A claim whose own
 * name has dots in it (`https://acme.example/groups`) goes before a path of that form.
 */
export function claimsAt(claims: JsonObject, path: string): readonly unknown[] {
  if (Object.hasOwn(claims, path)) return flat([claims[path]])
  let found: readonly unknown[] = [claims]
  for (const step of path.split('.'))
    found = flat(found).flatMap((value) => (isObject(value) && Object.hasOwn(value, step) ? [value[step]] : []))
  return flat(found)
}

/** The one text at a path; undefined where there is none, or more than one. */
export function textAt(claims: JsonObject, path: string): string | undefined {
  const [value, ...others] = claimsAt(claims, path)
  return typeof value === 'string' && value !== '' && others.length === 0 ? value : undefined
}

function flat(values: readonly unknown[]): readonly unknown[] {
  return values.flat().slice(0, mostValues)
}
