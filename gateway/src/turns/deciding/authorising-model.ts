/** Grants decide which models a caller may use. An ungranted model and an unknown one answer alike. */
import type { Route, RouteFacts, Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import { Ungranted } from '../../policy/ungranted.ts'

export interface ModelGrant {
  readonly route: Route
  /** The grant that allowed it: `grant #1`. */
  readonly source: string
}

/**
 * `facts`: what the call brings that a route may ask for. `granted`: what allows it, where the configuration itself has chosen the
 * model. Throws `grant.model`.
 */
export function authoriseModel(snapshot: Snapshot, model: string, facts: RouteFacts, granted?: string): ModelGrant {
  const { caller } = facts
  const chosen = granted === undefined ? undefined : snapshot.routes.resolve(model, facts)
  if (granted !== undefined && chosen !== undefined) return { route: chosen, source: granted }
  const ruling = snapshot.policy.grants.ruling(caller, 'models', model)
  const route = ruling.allowed ? snapshot.routes.resolve(model, facts) : undefined
  if (route === undefined) throw new TurnwardError('grant.model', { subject: model.slice(0, 100), cause: new Ungranted(ruling) })
  return { route, source: ruling.source }
}
