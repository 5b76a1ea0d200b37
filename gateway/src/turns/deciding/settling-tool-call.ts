/** A tool call is over: what becomes of its session in one step, its effects above all. Here, and nowhere else, are they settled. */
import { effectiveContract } from '../../policy/contracts.ts'
import { noteEnd } from '../../policy/effects.ts'
import type { EffectLedger, PolicyState } from '../../policy/types.ts'
import type { ToolCall } from '../call.ts'
import { narrow } from '../sessions/narrowing.ts'
import { subjectOf } from './tool-subject.ts'

/** Changes the session of the call, notes that the call has ended, and keeps the session. Resolves with what else the change says. */
export async function settleToolCall<Result>(
  call: ToolCall,
  change: (now: PolicyState) => readonly [PolicyState, Result],
): Promise<Result> {
  const { services, snapshot, session, tool } = call
  const { result } = await narrow(call, tool.name, (now) => {
    const [state, result] = change(now)
    return [{ ...state, effects: ended(call, state.effects) }, result]
  })
  await services.sessions.save(session, snapshot.settings.turns.session_idle_ms)
  return result
}

/** A history can tell of a call that a model proposed, and what it tells can matter where the call has effects. */
function ended({ snapshot, tool, proposal, callKey }: ToolCall, effects: EffectLedger): EffectLedger {
  if (proposal === undefined) return effects
  const { contract } = effectiveContract(snapshot.policy.contractOf(tool.name), subjectOf(tool))
  return contract.effects.length === 0 ? effects : noteEnd(effects, callKey)
}
