/** Joins what a tool returned into the label of the conversation it belongs to, before the result leaves the gateway, and settles the effects of the call: here, and nowhere else. */
import { asTurnwardError } from '../../core/error.ts'
import { sha256 } from '../../core/hash.ts'
import { effectiveContract } from '../../policy/contracts.ts'
import { noteEnd, release, settle, suspect } from '../../policy/effects.ts'
import { labelRecord } from '../../policy/label.ts'
import { refusalNotice } from '../../policy/refusal.ts'
import type { EffectLedger, Label, Verdict } from '../../policy/types.ts'
import { refusalKey } from './admitting-history.ts'
import type { ToolCall } from '../call.ts'
import type { Execution } from '../executing-tool.ts'
import { isFreeLabel, labelOfResult, rememberWords, textsIn } from '../provenance/words-of-call.ts'
import type { ToolOutcome } from '../recording/recording-tool-call.ts'
import { freshState } from '../sessions/fresh-state.ts'
import { narrow } from '../sessions/narrowing.ts'
import { noteRefused } from '../telling/telling-person.ts'
import { subjectOf } from './tool-subject.ts'

export interface AdmittedResult {
  /** The label of the session before. */
  readonly before: Label
  /** How the call ended: as it ran, unless its result could not be admitted. */
  readonly end: ToolOutcome
}

export async function admitToolResult(call: ToolCall, execution: Execution): Promise<AdmittedResult> {
  const before = call.session.policyState.label
  try {
    const added = await addedBy(call, execution)
    await changeState(call, (effects) => endedEffects(call, effects, outcomeOf(call, execution)), added)
    return { before, end: execution }
  } catch (thrown) {
    // A label that cannot be kept is a label that would be lost: nobody gets to read what it stands for.
    const failure = asTurnwardError(thrown)
    if (call.turn !== null) failure.turn ??= call.turn
    return { before, end: { outcome: 'error', failure } }
  }
}

/** A call that was refused did not run: what was reserved for it is free again. The person of the conversation reads a line about it. */
export async function settleRefusal(call: ToolCall, verdict: Verdict): Promise<void> {
  if (call.held !== undefined) {
    await noteRefused(call, call.tool.name, verdict)
    await noteNotice(call, refusalNotice(verdict))
  }
  await changeState(call, (effects) => ended(call, release(effects, call.callKey)))
}

/** When these very words come back as the result of this very call, they are the gateway's and bring nothing. */
async function noteNotice({ services, snapshot, caller, callKey }: ToolCall, notice: string): Promise<void> {
  const expires = services.clock.now() + snapshot.settings.turns.session_idle_ms
  await services.state.put(
    'label',
    refusalKey(caller.principal.id, callKey, sha256(notice)),
    labelRecord(freshState(snapshot.policy).label, snapshot.policy),
    expires,
  )
}

async function changeState(
  call: ToolCall,
  effectsAfter: (effects: EffectLedger) => EffectLedger,
  added: Label = freshState(call.snapshot.policy).label,
): Promise<void> {
  const { services, snapshot, session, tool } = call
  await narrow(call, tool.name, added, effectsAfter)
  await services.sessions.save(session, snapshot.policy, snapshot.settings.turns.session_idle_ms)
}

/** How the call ended. A contract may say how success is recognised in a result that claims none of it failed. */
function outcomeOf({ snapshot, tool }: ToolCall, { outcome, result }: Execution): Execution['outcome'] {
  if (outcome !== 'ok') return outcome
  const succeeded = snapshot.policy.contractOf(tool.name)?.succeeded?.({ text: textsIn(result.content).join('\n'), isError: false })
  return succeeded === false ? 'tool_error' : outcome
}

function endedEffects(call: ToolCall, effects: EffectLedger, outcome: Execution['outcome']): EffectLedger {
  const { callKey } = call
  const reserved = effects.reserved[callKey] ?? []
  if (outcome === 'ok') return ended(call, settle(effects, callKey))
  // A call that got no answer may have had its effect all the same.
  return ended(call, outcome === 'tool_error' ? release(effects, callKey) : suspect(release(effects, callKey), reserved))
}

/** A history can tell of a call that a model proposed, and what it tells can matter where the call has effects. */
function ended({ snapshot, tool, held, callKey }: ToolCall, effects: EffectLedger): EffectLedger {
  if (held === undefined) return effects
  const { contract } = effectiveContract(snapshot.policy.contractOf(tool.name), subjectOf(tool))
  return contract.effects.length === 0 ? effects : noteEnd(effects, callKey)
}

/** What the contract of the tool says, and what the words of the result were said under. */
async function addedBy(call: ToolCall, { result }: Execution): Promise<Label> {
  const { _meta: _notRead, ...read } = result
  const added = await labelOfResult(call, [subjectOf(call.tool)], () => textsIn(read).join('\n'))
  if (!isFreeLabel(call, added)) await rememberWords(call, textsIn(read), added)
  return added
}
