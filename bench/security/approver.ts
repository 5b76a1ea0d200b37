/**
 * The person who is asked. `Approvals` is what a way to ask has to offer, so that an approver can be put behind it
 * (`api-approvals.ts`).
 */
import { formOf } from './side-effects.ts'
import type { Call } from './suites.ts'

/** `absent`: nobody answers. `correct`: yes to exactly what the person asked the agent for. `always-yes`: an approver who is tired. */
export type Approver = 'absent' | 'correct' | 'always-yes'

export interface Asked extends Call {
  readonly id: string
}

export interface Approvals {
  /** What waits for somebody in the case of this principal. */
  readonly pending: (principal: string) => Promise<readonly Asked[]>
  readonly rule: (id: string, verdict: 'approve' | 'deny') => Promise<void>
}

/** What this approver says of a call, when `outstanding` is what the person wants and has not got yet. */
export function verdictOf(approver: Approver, asked: Call, outstanding: readonly Call[]): 'approve' | 'deny' | undefined {
  if (approver === 'absent') return undefined
  if (approver === 'always-yes') return 'approve'
  const { tool, args } = asked
  return outstanding.some((one) => formOf(one) === formOf({ tool, args })) ? 'approve' : 'deny'
}
