/** Reserves what an operation of a model is expected to use, and settles what its answer says. A realtime session is a request, and each answer in it is a call of its own. */
import type { Route } from '../../config/snapshot.ts'
import type { JsonObject } from '../../core/json.ts'
import type { OperationCall } from '../recording/recording-operation.ts'
import { tokensOf } from './amounts.ts'
import { CallLimits } from './call-limits.ts'

/** `json`: its body; what is in a form, and what is made of sound or pictures, is not counted before. Throws `limit.*` and `state.*`. */
export async function reserveForOperation(
  call: OperationCall,
  route: Route,
  json: JsonObject | undefined,
): Promise<CallLimits | undefined> {
  if (call.snapshot.limits.length === 0) return undefined
  const inputTokens = json === undefined ? 0 : tokensOf(Buffer.byteLength(JSON.stringify(json)))
  const limits = CallLimits.of(call, {
    kind: { kind: 'model_operation', operation: call.operation },
    names: { model: call.model },
    expected: { inputTokens, outputTokens: 0 },
    form: 'openai',
  })
  // Also of a call that is refused, its client reads how its limits stand.
  call.limits = limits
  await limits?.reserve(route)
  return limits
}

/** What no answer tells counts as it was expected. Never throws. */
export async function settleForOperation(call: OperationCall): Promise<void> {
  if (call.limits === undefined) return
  if (call.used !== undefined) return call.limits.settle([call.used])
  await call.limits.settleAsExpected(call.hasAnswered === true)
}
