/** Everybody a call of a route may be sent to, whoever it is sent to first. */
import type { Route, RouteTarget } from './snapshot.ts'

export function targetsOf({ targets, onContextLength: longer }: Route): readonly RouteTarget[] {
  return longer === undefined ? targets : [...targets, longer]
}
