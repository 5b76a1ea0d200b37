/**
 * Decides one tool call: tickets, arguments, then the policy engine, on the label of its conversation joined with what the
 * call may come from besides. An allowed call has its effects reserved in the same step.
 */
import { decide, isReleased } from '../../policy/decide.ts'
import { reserve } from '../../policy/effects.ts'
import { comesFrom, type Evidence, withOrigins } from '../../policy/evidence.ts'
import type { Policy, PolicyState, Verdict } from '../../policy/types.ts'
import type { DecidedToolCall, ToolCall } from '../call.ts'
import { traceToolCall } from '../provenance/tracing-values.ts'
import { judgeWithContents } from '../quarantine/judging-contents.ts'
import { besideOf, differenceOf } from './deciding-beside.ts'
import { misfitArguments } from './misfit-arguments.ts'
import { stoppedVerdict } from '../stops/stopped-tool.ts'
import { subjectOf } from './tool-subject.ts'

/** `rulings`: what people ruled on this very call. */
export async function decideToolCall(call: ToolCall, rulings: Evidence['rulings'] = []): Promise<DecidedToolCall> {
  const contents = call.handled?.form === 'put in place' ? call.handled : undefined
  const origins: Evidence = { ...comesFrom(call.besides, contents?.label), rulings }
  const label = withOrigins(call.session.policyState.label, origins)
  const { args } = call.request
  const forms = contents === undefined ? [args] : [args, contents.args]
  const values = await traceToolCall(call, subjectOf(call.tool), forms, label, call.proposal?.values)
  const evidence: Evidence = values === undefined ? origins : { ...origins, values }
  const beside = await besideOf(call, (policy) => traceToolCall(call, subjectOf(call.tool), forms, label, call.proposal?.values, policy))
  return call.services.sessions.changePolicyState(call.session, (state): readonly [PolicyState, DecidedToolCall] => {
    const verdict = judge(call, call.snapshot.policy, state, evidence)
    const shadow = differenceOf(call, beside, verdict, ({ policy, values: asked }) =>
      judge(call, policy, state, { ...origins, values: asked }),
    )
    const effects = isReleased(verdict) ? reserve(state.effects, call.callKey, verdict.effects) : state.effects
    return [
      effects === state.effects ? state : { ...state, effects },
      { ...call, verdict, evidence, ...(shadow === undefined ? {} : { shadow }), decidedOn: withOrigins(state.label, evidence) },
    ]
  })
}

function judge(call: ToolCall, policy: Policy, state: PolicyState, evidence: Evidence): Verdict {
  const { snapshot, tool } = call
  const stopped = stoppedVerdict(call, tool)
  if (stopped !== undefined) return stopped
  if (call.capped !== undefined) return call.capped
  if (snapshot.settings.turns.tickets === 'required' && call.proposal === undefined) {
    return policy.posture === 'observe' ? { ...withoutTicket, action: 'observe' } : withoutTicket
  }
  // What we decide on and what the server would read are two values then.
  const { args, unfit } = call.request
  if (unfit !== undefined) return misfitArguments('JSON numbers', unfit)
  const { handled } = call
  if (handled?.form === 'unusable') return misfitArguments('handles', handled.why)
  // What the server gets has to fit; what does not is not told of what nobody may read.
  const misfit = tool.validate(handled?.args ?? args)
  if (misfit !== undefined)
    return misfitArguments('input schema', handled === undefined ? misfit : 'with what the handles stand for in place')
  const event = { tool: subjectOf(tool), caller: call.caller, gateway: call.gateway, callKey: call.callKey }
  return judgeWithContents(args, handled, (read) => decide(policy, state, { ...event, args: read }, evidence))
}

const withoutTicket: Verdict = {
  verdict: 'deny',
  action: 'refuse',
  gaps: [{ kind: 'ticket', detail: 'no governed model call proposed this call with these arguments', source: 'turns.tickets' }],
  remedies: [{ kind: 'prerequisite', detail: 'make the model call through Turnward and run the call it proposes unchanged' }],
  rules: ['turns.tickets'],
  reason: 'No governed model call proposed this tool call.',
  effects: [],
}
