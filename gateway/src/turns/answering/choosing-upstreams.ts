/** In which order the upstreams of a call's route are asked, as the route balances. */
import type { DecisionRecord, UsageRecord } from '@turnward/contract/decision'
import type { Route, RouteTarget } from '../../config/snapshot.ts'
import type { JsonObject } from '../../core/json.ts'
import { Attempts } from '../../models/balancing/attempts.ts'
import { planRoute } from '../../models/balancing/planning.ts'
import { whenRead, type MaybePromise } from '../../state/state-store.ts'
import type { ModelCall } from '../call.ts'
import { mayGoOutTwice } from './hedging-call.ts'
import { tokensOf } from '../limiting/amounts.ts'
import { nearExamples } from '../near-examples/near-examples.ts'
import { expectedOf } from '../limiting/reserving-for-model.ts'
import type { OperationCall } from '../recording/recording-operation.ts'

/** Never rejects. */
export function chooseUpstreams(call: ModelCall, route: Route): MaybePromise<Attempts> {
  const { services, snapshot, caller, view, session } = call
  const asked = {
    snapshot,
    caller,
    route,
    model: view.model,
    isStream: view.stream,
    stickyKey: session.id,
    expected: () => expectedOf(call),
  }
  const near = nearExamples(call, route)
  const planned = near === undefined ? planRoute(services, asked) : near.then((nearness) => planRoute(services, { ...asked, nearness }))
  const { retries, onContextLength } = route
  const settings = { retries, onContextLength, hedge: mayGoOutTwice(call) ? route.hedge : undefined }
  return whenRead(planned, (plan) => new Attempts(plan, settings, services.upstreams.health))
}

/** The same for an operation, among those upstreams that have it. `json`: its body, where it is one. */
export function chooseForOperation(
  { services, snapshot, caller, session, model }: Pick<OperationCall, 'services' | 'snapshot' | 'caller' | 'session' | 'model'>,
  route: Route,
  targets: readonly RouteTarget[],
  json?: JsonObject,
): MaybePromise<Attempts> {
  const stickyKey = session?.id ?? caller.principal.id
  const expected = (): UsageRecord => ({ inputTokens: json === undefined ? 0 : tokensOf(Buffer.byteLength(JSON.stringify(json))) })
  const planned = planRoute(services, { snapshot, caller, route, model, isStream: false, stickyKey, expected }, targets)
  // Of what has no conversation nothing can be too long for one.
  const settings = { retries: route.retries, onContextLength: undefined }
  return whenRead(planned, (plan) => new Attempts(plan, settings, services.upstreams.health))
}

/** What the record says of the one that is asked now: nothing where there was nothing to choose. */
export function routingField(
  { plan: { balance, why, passedOver }, why: now, count: attempt }: Attempts,
  target: RouteTarget,
): Pick<DecisionRecord, 'routing'> {
  const reason = now ?? why.get(target)
  if (reason === undefined) return {}
  return {
    routing: { balance, why: reason, attempt, ...(passedOver.length === 0 ? {} : { passedOver: passedOver.map((one) => ({ ...one })) }) },
  }
}
