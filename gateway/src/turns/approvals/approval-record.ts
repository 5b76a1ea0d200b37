/** Records of approvals: who asked, who ruled, what came of it. They stand in the turn of the call; the arguments are a digest. */
import type { DecisionRecord } from '@turnward/contract/decision'
import { newId } from '../../core/ids.ts'
import type { Approval } from './approval.ts'

export interface ApprovalEvent {
  readonly event: 'asked' | 'approved' | 'denied' | 'expired'
  /** Unix milliseconds. */
  readonly time: number
  readonly by?: string
  readonly via?: 'api' | 'page' | 'elicitation'
  readonly endorsed?: boolean
  /** In the words of whoever ruled. */
  readonly reason?: string | undefined
}

const verdicts = {
  asked: { verdict: 'deny', action: 'hold' },
  approved: { verdict: 'allow', action: 'release' },
  denied: { verdict: 'deny', action: 'refuse' },
  expired: { verdict: 'deny', action: 'refuse' },
} as const

export function approvalRecord({ id, facts, digest }: Approval, { event, time, by, via, reason, endorsed }: ApprovalEvent): DecisionRecord {
  const { verdict, action } = verdicts[event]
  return {
    v: 1,
    id: newId('dec'),
    type: 'decision',
    kind: 'approval',
    time,
    principal: facts.principal,
    groups: [...facts.groups],
    actor: facts.actor,
    consumer: facts.consumer,
    key: facts.key,
    session: facts.session,
    turn: facts.turn,
    modelCall: facts.modelCall,
    toolCallId: facts.toolCallId,
    subject: facts.tool,
    ...(facts.calledAs === undefined ? {} : { calledAs: facts.calledAs }),
    gateway: facts.gateway,
    labelBefore: facts.label,
    labelAfter: facts.label,
    verdict,
    action,
    rules: facts.terms.map(({ source }) => source),
    reason: reasonOf(event, facts.reason, reason),
    argumentsDigest: facts.argumentsDigest,
    ...(facts.toolDigest === null ? {} : { toolDigest: facts.toolDigest }),
    credential: 'none',
    revision: facts.revision,
    approval: {
      id,
      event,
      digest,
      ...(by === undefined ? {} : { by }),
      ...(via === undefined ? {} : { via }),
      ...(endorsed === true ? { endorsed } : {}),
    },
  }
}

function reasonOf(event: ApprovalEvent['event'], asked: string, given: string | undefined): string {
  if (event === 'asked') return asked
  if (event === 'expired') return 'Nobody used it in time.'
  const said = given === undefined || given === '' ? '' : ` ${given}`
  return `A person has ${event === 'approved' ? 'approved' : 'denied'} this very call.${said}`
}
