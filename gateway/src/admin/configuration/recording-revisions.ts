/** What administrators did with the configuration, as records of the decision log: by one of the processes that see it, each once. */
import type { DecisionRecord } from '@turnward/contract/decision'
import type { DecisionLog } from '../../audit/decision-log.ts'
import { newId } from '../../core/ids.ts'
import { administrationRecord } from '../administration-record.ts'
import type { ConfigRevisionTable, RevisionFacts } from '../../store/config-revisions.ts'

interface Now {
  readonly time: number
  /** The configuration that was running. */
  readonly revision: string
}

/** Puts on record what is not yet. What cannot be recorded is given back, and recorded when it is looked for again. */
export async function recordRevisions(
  table: Pick<ConfigRevisionTable, 'unrecorded' | 'claim' | 'unclaim'>,
  log: Pick<DecisionLog, 'appendDurably'>,
  now: Now,
): Promise<void> {
  for (const done of await table.unrecorded()) {
    if (!(await table.claim(done.revision))) continue
    try {
      await log.appendDurably(recordOfRevision(done, now))
    } catch (error) {
      await table.unclaim(done.revision)
      throw error
    }
  }
}

function recordOfRevision({ revision: number, made, by, reason, summary }: RevisionFacts, { time, revision }: Now): DecisionRecord {
  return administrationRecord({
    id: newId('dec'),
    time,
    by,
    subject: summary,
    administration: { act: 'configuration.change', via: 'api' },
    rules: [`revision ${number}`],
    reason: `Revision ${number}, made ${new Date(made).toISOString()}${reason === null ? '.' : `: ${reason}`}`,
    revision,
  })
}
