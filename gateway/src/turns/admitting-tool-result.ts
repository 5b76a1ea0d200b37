/** Joins what a tool returned into the label, before the result leaves the gateway, and settles the effects of the call. */
import { admit } from '../policy/admit.ts'
import { suspect } from '../policy/effects.ts'
import { join, sameLabel } from '../policy/label.ts'
import type { ToolCall } from './call.ts'
import type { Execution } from './executing-tool.ts'
import { subjectOf } from './tool-subject.ts'

export function admitToolResult(call: ToolCall, execution: Execution): void {
  const { services, snapshot, session, clientSession, tool } = call
  const { policy, settings } = snapshot
  const before = session.policy
  const reserved = before.effects.reserved[call.callKey] ?? []
  const admitted = admit(policy, before, {
    tool: subjectOf(tool),
    principal: call.caller.principal,
    callKey: call.callKey,
    succeeded: execution.outcome === 'ok',
  })
  // A call that got no answer may have had its effect all the same.
  const isUnknown = execution.outcome === 'timeout' || execution.outcome === 'cancelled' || execution.outcome === 'error'
  const after = isUnknown ? { ...admitted, effects: suspect(admitted.effects, reserved) } : admitted
  if (!sameLabel(before.label, after.label) || before.effects !== after.effects) services.sessions.update(session, after)
  services.sessions.save(session, policy, settings.turns.session_idle_ms)
  if (clientSession === session) return
  // The connection has read it too, whichever conversation asked.
  const read = join(clientSession.policy.label, after.label)
  if (!sameLabel(read, clientSession.policy.label)) services.sessions.update(clientSession, { ...clientSession.policy, label: read })
  services.sessions.save(clientSession, policy, settings.turns.session_idle_ms)
}
