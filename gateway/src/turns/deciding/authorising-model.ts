/** Grants decide which models a principal may use. An ungranted model and an unknown one answer alike. */
import type { Route, Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import type { Principal } from '../../core/principal.ts'
import { granted } from '../../policy/grants.ts'

export interface ModelGrant {
  readonly route: Route
  /** The grant that allowed it: `grant #1`. */
  readonly source: string
}

/** Throws `grant.model`. */
export function authoriseModel(snapshot: Snapshot, principal: Principal, model: string): ModelGrant {
  const source = granted(snapshot.policy.grants, principal, 'models', model)
  const route = source === undefined ? undefined : snapshot.routes.resolve(model)
  if (source === undefined || route === undefined) throw new TurnwardError('grant.model', { subject: model.slice(0, 100) })
  return { route, source }
}
