/** What an administrator did, as a record of the decision log. */
import type { DecisionRecord } from '@turnward/contract/decision'

export interface Administered {
  readonly id: string
  /** Unix milliseconds. */
  readonly time: number
  /** Principal id of the administrator. */
  readonly by: string
  readonly subject: string
  readonly rules: readonly string[]
  readonly reason: string
  /** Of the configuration that was running. */
  readonly revision: string
}

export function administrationRecord({ id, time, by, subject, rules, reason, revision }: Administered): DecisionRecord {
  return {
    v: 1,
    id,
    type: 'decision',
    kind: 'configuration',
    time,
    principal: by,
    actor: null,
    key: null,
    session: null,
    turn: null,
    subject,
    labelBefore: null,
    labelAfter: null,
    verdict: 'allow',
    action: 'release',
    rules: [...rules],
    reason,
    credential: 'none',
    revision,
  }
}
