/**
 * Every message the gateway has not accounted for passes here before the model sees it: tool results narrow
 * the label by their contract, assistant messages bring the label they were made under, and what nobody here
 * produced counts as untrusted. So neither removing nor inventing history can clean a session.
 */
import type { LabelRecord } from '@turnward/contract/decision'
import { sha256 } from '../core/hash.ts'
import { admit, admitUnknown } from '../policy/admit.ts'
import { join, labelFromRecord, labelRecord, sameLabel } from '../policy/label.ts'
import type { Label, PolicyState } from '../policy/types.ts'
import { whenRead, type MaybePromise } from '../state/state-store.ts'
import type { ToolResultView } from '../wire/dialect.ts'
import { freshState } from './attaching-session.ts'
import type { HistoryEntry } from './history.ts'
import type { AttachedCall, ModelCall } from './call.ts'
import { recordAdmission } from './recording.ts'
import { toolSubject } from './tool-subject.ts'

/** Ledger key of an assistant message: who it was delivered to and what it said. */
export function deliveredKey(principal: string, digest: string): string {
  return `m|${principal}|${digest}`
}

export async function admitHistory(call: ModelCall, history: readonly HistoryEntry[], firstNew: number): Promise<void> {
  // In order: some models number calls anew, and a result belongs to the last call of its id before it.
  const toolNames = new Map<string, string>()
  for (const [index, entry] of history.entries()) {
    for (const made of entry.message.calls) toolNames.set(made.id, made.name)
    if (index < firstNew) continue
    const admitted = entry.message.role === 'assistant' ? admitAssistant(call, entry) : undefined
    if (admitted instanceof Promise) await admitted
    for (const result of entry.message.results) await admitResult(call, result, toolNames.get(result.callId))
  }
}

function admitAssistant(call: ModelCall, { digest }: HistoryEntry): MaybePromise<void> {
  if (digest === undefined) return
  const { policy, settings } = call.snapshot
  return whenRead(call.services.state.get<LabelRecord>('ledger', deliveredKey(call.caller.principal.id, digest)), (delivered) => {
    if (delivered !== undefined) joinLabel(call, labelFromRecord(delivered, policy))
    else if (settings.turns.unknown_history !== 'accept') admitStranger(call, 'unknown history', digest)
  })
}

async function admitResult(call: ModelCall, result: ToolResultView, toolName: string | undefined): Promise<void> {
  const { policy, settings } = call.snapshot
  const digest = sha256(result.text)
  if (toolName === undefined) {
    admitStranger(call, 'unknown tool call', digest)
    return
  }
  const key = `r|${call.caller.principal.id}|${toolName}|${result.callId}|${digest}`
  const seen = await call.services.state.get<LabelRecord>('ledger', key)
  if (seen !== undefined) {
    joinLabel(call, labelFromRecord(seen, policy))
    return
  }
  const tool = toolSubject(call.services.fleet, call.snapshot, toolName)
  const admission = { tool, principal: call.caller.principal, callKey: reservedKey(call, result.callId), succeeded: !result.isError }
  applyAdmission(call, tool.name, digest, admit(policy, call.session.policy, admission))
  const contribution = admit(policy, freshState(policy), admission).label
  call.presented = join(call.presented, contribution)
  const expires = call.services.clock.now() + settings.turns.session_idle_ms
  await call.services.state.put('ledger', key, labelRecord(contribution, policy), expires)
}

/** Content nobody here can account for. */
function admitStranger(call: ModelCall, subject: string, digest: string): void {
  const { snapshot, session, caller } = call
  call.presented = admitUnknown(snapshot.policy, { ...session.policy, label: call.presented }, caller.principal).label
  applyAdmission(call, subject, digest, admitUnknown(snapshot.policy, session.policy, caller.principal))
}

/** The newest reservation for a call of this id; the id itself when nothing is reserved for it. */
function reservedKey(call: AttachedCall, callId: string): string {
  return Object.keys(call.session.policy.effects.reserved).findLast((key) => key.endsWith(`:${callId}`)) ?? callId
}

function joinLabel(call: ModelCall, label: Label): void {
  call.presented = join(call.presented, label)
  const joined = join(call.session.policy.label, label)
  if (!sameLabel(joined, call.session.policy.label)) call.services.sessions.update(call.session, { ...call.session.policy, label: joined })
}

function applyAdmission(call: AttachedCall, subject: string, resultDigest: string, after: PolicyState): void {
  const before = call.session.policy
  const narrowed = !sameLabel(before.label, after.label)
  if (narrowed || before.effects !== after.effects) call.services.sessions.update(call.session, after)
  if (narrowed) recordAdmission(call, subject, resultDigest, before.label, after.label)
}
