/** Reserves what a model call is expected to use, and settles what it has used. */
import type { Route } from '../../config/snapshot.ts'
import type { ModelCall } from '../call.ts'
import { contextBytes } from '../context/context-of-call.ts'
import { inputEstimate, tokensOf } from './amounts.ts'
import { CallLimits, type Expected } from './call-limits.ts'
import { headerFormOf } from './limit-headers.ts'

/** Throws `limit.*`, which is on record then, and `state.*`. */
export async function reserveForModel(call: ModelCall, route: Route): Promise<void> {
  if (call.snapshot.limits.length === 0) return
  const { view, dialect } = call
  call.limits = CallLimits.of(call, {
    kind: { kind: 'model_call' },
    names: { model: view.model },
    expected: expectedOf(call),
    form: headerFormOf(dialect.name),
  })
  await call.limits?.reserve(route)
}

/** Never throws. */
export async function settleForModel(call: ModelCall): Promise<void> {
  if (call.limits === undefined) return
  const used = call.rounds.used(() => expectedOf(call).inputTokens)
  // What was kept takes no tokens and costs nothing, and so does what a guard refuses; it was a request all the same: nobody tries out guards for nothing.
  await call.limits.settle(used, used.length > 0 || call.rounds.isKept || call.guards?.hasBlocked === true)
}

/** Before anybody has counted. */
export function expectedOf({
  view,
  bytes,
  body,
  dialect,
  snapshot,
  added,
  context,
}: Pick<ModelCall, 'view' | 'bytes' | 'body' | 'dialect' | 'snapshot' | 'added' | 'context'>): Expected {
  const { assumed_output_tokens: assumed } = snapshot.settings.limits
  const asked = dialect.mostOutput(body.json) ?? Infinity
  const own = inputEstimate(view, bytes?.length ?? added?.before)
  return {
    inputTokens: own + tokensOf((added?.messages.bytes ?? 0) + contextBytes(context)),
    outputTokens: Math.min(asked, assumed * view.choices),
  }
}
