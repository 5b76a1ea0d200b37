/** Things that a route lists by their names: guards, transforms. */
import type { RoutePart } from './route-part.ts'

/** Puts names behind those that the route lists already. */
export function listNames(section: 'guards' | 'transforms', names: readonly string[]): RoutePart {
  return (route) => {
    const listed = (route.value[section] as readonly string[] | undefined) ?? []
    route.set(section, [...listed, ...names.filter((name) => !listed.includes(name))])
  }
}
