/**
 * Decides one tool call: tickets, arguments, then the policy engine, on the label of its conversation joined with what the
 * call may come from besides. An allowed call has its effects reserved in the same step.
 */
import { decide, isReleased } from '../../policy/decide.ts'
import { reserve } from '../../policy/effects.ts'
import { comesFrom, type Evidence, withOrigins } from '../../policy/evidence.ts'
import type { PolicyState, Verdict } from '../../policy/types.ts'
import type { DecidedToolCall, ToolCall } from '../call.ts'
import { subjectOf } from './tool-subject.ts'

export async function decideToolCall(call: ToolCall): Promise<DecidedToolCall> {
  return call.services.sessions.changePolicyState(call.session, (state): readonly [PolicyState, DecidedToolCall] => {
    const evidence = comesFrom(call.besides, call.handled?.form === 'put in place' ? call.handled.label : undefined)
    const verdict = judge(call, state, evidence)
    const effects = isReleased(verdict) ? reserve(state.effects, call.callKey, verdict.effects) : state.effects
    return [effects === state.effects ? state : { ...state, effects }, { ...call, verdict, decidedOn: withOrigins(state.label, evidence) }]
  })
}

function judge(call: ToolCall, state: PolicyState, evidence: Evidence): Verdict {
  const { snapshot, tool } = call
  if (snapshot.settings.turns.tickets === 'required' && call.proposal === undefined) {
    return snapshot.policy.posture === 'observe' ? { ...withoutTicket, action: 'observe' } : withoutTicket
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
  const event = {
    tool: subjectOf(tool),
    args,
    caller: call.caller,
    gateway: call.gateway,
    callKey: call.callKey,
  }
  return decide(snapshot.policy, state, event, evidence)
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

const misfits = {
  handles: { what: 'cannot be put together', remedy: 'handles exactly as they stand in this conversation' },
  'input schema': { what: 'do not fit the input schema of the tool', remedy: 'arguments that fit the input schema of the tool' },
  'JSON numbers': {
    what: 'cannot be passed on',
    remedy: 'integers between -(2^53-1) and 2^53-1 and numbers of up to 15 digits, or with text',
  },
}

function misfitArguments(source: keyof typeof misfits, detail: string): Verdict {
  return {
    verdict: 'deny',
    action: 'refuse',
    gaps: [{ kind: 'argument', detail, source }],
    remedies: [{ kind: 'prerequisite', detail: `make the call again with ${misfits[source].remedy}` }],
    rules: [source],
    // The model wrote the arguments and has been shown the schema: told what does not fit, it can mend the call.
    reason: `The arguments ${misfits[source].what}: ${detail}.`,
    effects: [],
  }
}
