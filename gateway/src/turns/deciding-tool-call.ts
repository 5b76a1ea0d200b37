/** Decides one tool call: tickets, arguments, then the policy engine. An allowed call has its effects reserved before anyone else is decided. */
import { decide } from '../policy/decide.ts'
import { reserve } from '../policy/effects.ts'
import type { Verdict } from '../policy/types.ts'
import type { ToolCall } from './call.ts'
import { subjectOf } from './tool-subject.ts'

export function decideToolCall(call: ToolCall): Verdict {
  const { services, snapshot, session, tool } = call
  if (snapshot.settings.turns.tickets === 'required' && call.ticket === undefined) {
    return snapshot.policy.posture === 'observe' ? { ...withoutTicket, action: 'observe' } : withoutTicket
  }
  const misfit = tool.validate(call.args)
  if (misfit !== undefined) return misfitArguments(misfit)
  const verdict = decide(snapshot.policy, session.policy, {
    tool: subjectOf(tool),
    args: call.args,
    principal: call.caller.principal,
    actor: call.caller.actor,
    gateway: call.gateway,
    callKey: call.callKey,
  })
  if (verdict.action !== 'deny') {
    services.sessions.update(session, { ...session.policy, effects: reserve(session.policy.effects, call.callKey, verdict.effects) })
  }
  return verdict
}

const withoutTicket: Verdict = {
  verdict: 'deny',
  action: 'deny',
  gaps: [{ kind: 'ticket', detail: 'no governed model call proposed this call with these arguments', source: 'turns.tickets' }],
  remedies: [{ kind: 'prerequisite', detail: 'make the model call through Turnward and run the call it proposes unchanged' }],
  rules: ['turns.tickets'],
  reason: 'No governed model call proposed this tool call.',
  effects: [],
}

function misfitArguments(detail: string): Verdict {
  return {
    verdict: 'deny',
    action: 'deny',
    gaps: [{ kind: 'argument', detail, source: 'input schema' }],
    remedies: [{ kind: 'prerequisite', detail: 'make the call again with arguments that fit the input schema of the tool' }],
    rules: ['input schema'],
    // The model wrote the arguments and has been shown the schema: told what does not fit, it can mend the call.
    reason: `The arguments do not fit the input schema of the tool: ${detail}.`,
    effects: [],
  }
}
