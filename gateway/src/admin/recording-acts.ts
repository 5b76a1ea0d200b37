/** What was done with the command line, as records of the decision log: by one of the processes that see it noted in the store. */
import type { DecisionLog } from '../audit/decision-log.ts'
import type { ActTable } from '../store/acts.ts'
import { administrationRecord } from './administration-record.ts'

/** What has waited longer says when it was done: a log is in the order of its times. */
const soonMs = 60_000

/** Puts on record what is not yet. What cannot be recorded is given back, and recorded when it is looked for again. */
export async function recordActs(
  table: Pick<ActTable, 'unrecorded' | 'claim' | 'unclaim' | 'forget'>,
  log: Pick<DecisionLog, 'appendDurably'>,
  /** `time`: Unix milliseconds. `revision`: of the configuration that runs. */
  { time: now, revision }: { readonly time: number; readonly revision: string },
): Promise<void> {
  for (const { act, time, ...facts } of await table.unrecorded()) {
    if (!(await table.claim(facts.id, now))) continue
    const waited = now - time
    const reason = waited < soonMs ? facts.reason : `${facts.reason} Noted ${new Date(time).toISOString()}.`
    try {
      await log.appendDurably(
        administrationRecord({
          ...facts,
          time: now,
          reason,
          administration: { act, via: 'command' },
          rules: ['access to the store'],
          revision,
        }),
      )
    } catch (error) {
      await table.unclaim(facts.id)
      throw error
    }
    await table.forget(facts.id)
  }
}
