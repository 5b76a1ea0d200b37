/** Joins what a tool returned into the label of the conversation it belongs to, before the result leaves the gateway, and settles the effects of the call: here, and nowhere else. */
import { asTurnwardError } from '../../core/error.ts'
import { sha256 } from '../../core/hash.ts'
import type { JsonObject } from '../../core/json.ts'
import { admit, admittedLabel, type Admission } from '../../policy/admit.ts'
import { effectiveContract } from '../../policy/contracts.ts'
import { noteEnd, release } from '../../policy/effects.ts'
import { comesFrom } from '../../policy/evidence.ts'
import { labelRecord } from '../../policy/label.ts'
import { refusalNotice } from '../../policy/refusal.ts'
import type { EffectLedger, Label, PolicyState, Verdict } from '../../policy/types.ts'
import { refusalKey } from './admitting-history.ts'
import type { ToolCall } from '../call.ts'
import type { Execution } from '../executing-tool.ts'
import { isFreeLabel, labelOfWords, rememberWords, textsIn } from '../provenance/words-of-call.ts'
import type { ToolOutcome } from '../recording/recording-tool-call.ts'
import { freshState } from '../sessions/fresh-state.ts'
import { narrow } from '../sessions/narrowing.ts'
import { noteForPerson } from '../telling/telling-person.ts'
import { lineForRefused } from '../telling/withheld-words.ts'
import { passedResult } from './passing-content.ts'
import { subjectOf } from './tool-subject.ts'

export interface AdmittedResult {
  /** The label of the session before. */
  readonly before: Label
  /** How the call ended: as it ran, unless its result could not be admitted. */
  readonly end: ToolOutcome
  /** What of the result may leave the gateway. */
  readonly result: JsonObject
}

export async function admitToolResult(call: ToolCall, execution: Execution): Promise<AdmittedResult> {
  const before = call.session.policy.label
  const { policy } = call.snapshot
  try {
    const { _meta: _notRead, ...read } = execution.result
    const admission = admissionOf(call, execution)
    const evidence = comesFrom(await labelOfWords(call, () => textsIn(read).join('\n')))
    const added = admittedLabel(policy, admission, evidence)
    if (!isFreeLabel(call, added)) await rememberWords(call, textsIn(read), added)
    const content = await changeState(call, (now) => {
      const { state, content } = admit(policy, now, admission, evidence)
      return [{ ...state, effects: ended(call, state.effects) }, content]
    })
    return { before, end: execution, result: passedResult(execution.result, content) }
  } catch (thrown) {
    // A label that cannot be kept is a label that would be lost: nobody gets to read what it stands for.
    const failure = asTurnwardError(thrown)
    if (call.turn !== null) failure.turn ??= call.turn
    return { before, end: { outcome: 'error', failure }, result: {} }
  }
}

/** A call that was refused did not run: what was reserved for it is free again. The person of the conversation reads a line about it. */
export async function settleRefusal(call: ToolCall, verdict: Verdict): Promise<void> {
  const { gaps, reason } = verdict
  if (call.held !== undefined) {
    await noteForPerson(call, `refused ${call.tool.name} ${gaps.map(({ kind }) => kind).join(' ')}`, lineForRefused(call.tool.name, reason))
    await noteNotice(call, refusalNotice(verdict))
  }
  await changeState(call, (now) => [{ ...now, effects: ended(call, release(now.effects, call.callKey)) }, undefined])
}

/** When these very words come back as the result of this very call, they are the gateway's and bring nothing. */
async function noteNotice({ services, snapshot, caller, callKey }: ToolCall, notice: string): Promise<void> {
  const expires = services.clock.now() + snapshot.settings.turns.session_idle_ms
  await services.state.put(
    'ledger',
    refusalKey(caller.principal.id, callKey, sha256(notice)),
    labelRecord(freshState(snapshot.policy).label, snapshot.policy),
    expires,
  )
}

async function changeState<Result>(call: ToolCall, change: (now: PolicyState) => readonly [PolicyState, Result]): Promise<Result> {
  const { services, snapshot, session, tool } = call
  const { result } = await narrow(call, tool.name, change)
  await services.sessions.save(session, snapshot.policy, snapshot.settings.turns.session_idle_ms)
  return result
}

function admissionOf(call: ToolCall, execution: Execution): Admission {
  const { caller, tool, callKey } = call
  return { tools: [subjectOf(tool)], principal: caller.principal, callKey, outcome: outcomeOf(call, execution) }
}

/** Whether the tool did what it was asked. A contract may say how success is recognised in a result that claims none of it failed. */
function outcomeOf({ snapshot, tool }: ToolCall, { outcome, result }: Execution): Admission['outcome'] {
  if (outcome === 'tool_error') return 'failed'
  // A call that got no answer may have had its effect all the same.
  if (outcome !== 'ok') return 'possible'
  const succeeded = snapshot.policy.contractOf(tool.name)?.succeeded?.({ text: textsIn(result.content).join('\n'), isError: false })
  return succeeded === false ? 'failed' : 'done'
}

/** A history can tell of a call that a model proposed, and what it tells can matter where the call has effects. */
function ended({ snapshot, tool, held, callKey }: ToolCall, effects: EffectLedger): EffectLedger {
  if (held === undefined) return effects
  const { contract } = effectiveContract(snapshot.policy.contractOf(tool.name), subjectOf(tool))
  return contract.effects.length === 0 ? effects : noteEnd(effects, callKey)
}
