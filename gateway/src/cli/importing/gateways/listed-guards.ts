/** Guards that a route lists. */
import type { RoutePart } from './route-part.ts'

/** Puts guards behind those that the route lists already. */
export function listGuards(names: readonly string[]): RoutePart {
  return (route) => {
    const listed = (route.value['guards'] as readonly string[] | undefined) ?? []
    route.set('guards', [...listed, ...names.filter((name) => !listed.includes(name))])
  }
}
