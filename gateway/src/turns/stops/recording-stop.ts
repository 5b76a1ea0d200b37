/** What an administrator did with a stop, as a record of the decision log. */
import type { DecisionRecord } from '@turnward/contract/decision'
import { newId } from '../../core/ids.ts'
import type { UnrecordedStop } from '../../store/stops.ts'

export function recordOfStop(
  { stop, what, by }: UnrecordedStop,
  { time, revision }: { readonly time: number; readonly revision: string },
): DecisionRecord {
  const { kind, name, reason, until, id } = stop
  const isMade = what === 'made'
  const ends = until === null ? '' : ` until ${new Date(until).toISOString()}`
  return {
    v: 1,
    id: newId('dec'),
    type: 'decision',
    kind: 'stop',
    time,
    principal: by,
    actor: null,
    key: null,
    session: kind === 'session' ? name : null,
    turn: null,
    subject: `${kind} ${name}`,
    labelBefore: null,
    labelAfter: null,
    verdict: isMade ? 'deny' : 'allow',
    action: isMade ? 'refuse' : 'release',
    rules: [`stop ${id}`],
    reason: isMade ? `Stopped${ends}${reason === null ? '.' : `: ${reason}`}` : 'The stop was lifted.',
    credential: 'none',
    revision,
  }
}
