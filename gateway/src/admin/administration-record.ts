/** What an administrator was about to do, as a record of the decision log: there before it is done. */
import type { DecisionRecord } from '@turnward/contract/decision'
import type { DecisionLog } from '../audit/decision-log.ts'
import type { Snapshot } from '../config/snapshot.ts'
import type { Clock } from '../core/clock.ts'
import { newId } from '../core/ids.ts'
import type { Administrator } from './administrators.ts'

export interface Administered {
  readonly id: string
  /** Unix milliseconds. */
  readonly time: number
  /** Principal id of the administrator; of the command line, the user of the machine. */
  readonly by: string
  readonly administration: NonNullable<DecisionRecord['administration']>
  readonly subject: string
  readonly rules: readonly string[]
  readonly reason: string
  /** Of the configuration that was running. */
  readonly revision: string
}

export function administrationRecord({ id, time, by, administration, subject, rules, reason, revision }: Administered): DecisionRecord {
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
    administration,
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

/** What is about to be done over the API. */
export interface ApiAct {
  /** `keys.revoke` */
  readonly act: string
  readonly subject: string
  /** What lets them, as records name it: `role admin`. */
  readonly rules: readonly string[]
  /** In one sentence, without a secret. */
  readonly reason: string
}

/** Puts on record what is about to be done. Rejects when it cannot be recorded: then nothing is to be done. */
export type RecordAct = (administrator: Pick<Administrator, 'id'>, act: ApiAct) => Promise<void>

export function actRecorder({
  log,
  clock,
  snapshot,
}: {
  readonly log: Pick<DecisionLog, 'appendDurably'>
  readonly clock: Clock
  readonly snapshot: () => Pick<Snapshot, 'revision'>
}): RecordAct {
  return ({ id: by }, { act, subject, rules, reason }) => {
    const facts = { id: newId('dec'), time: clock.now(), by, subject, rules, reason, revision: snapshot().revision }
    return log.appendDurably(administrationRecord({ ...facts, administration: { act, via: 'api' } }))
  }
}
