/** Bounded answers about a withheld result are read: what they add to the label of the session is on record. */
import { join, labelRecord, sameLabel } from '../../policy/label.ts'
import type { AttachedCall } from '../call.ts'
import { recordOf } from '../recording/recording.ts'
import { joining, narrow } from '../sessions/narrowing.ts'
import type { WithheldResult } from './withheld-results.ts'

/** Under the label that the contract of its tool gives to such answers. */
export async function admitAnswers(
  call: AttachedCall,
  { answers, from, digest }: Pick<WithheldResult, 'answers' | 'from' | 'digest'>,
): Promise<void> {
  const { services, snapshot, session } = call
  const before = session.policyState.label
  const after = join(before, answers)
  if (sameLabel(before, after)) return
  const subject = `answers about ${from}`
  services.log.append(
    recordOf(call, {
      type: 'decision',
      kind: 'admission',
      subject,
      verdict: 'allow',
      action: 'release',
      rules: ['quarantine'],
      reason: 'The session has read a bounded answer about a result that is withheld.',
      credential: 'none',
      labelBefore: labelRecord(before, snapshot.policy),
      labelAfter: labelRecord(after, snapshot.policy),
      resultDigest: digest,
    }),
  )
  await narrow(call, subject, joining(answers))
}
