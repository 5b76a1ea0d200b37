/**
 * Takes out of the store what has expired: files and batches that nobody can find any more, calls that nobody ruled on in time, and
 * summaries that are older than they are kept (`audit.retention`).
 */
import { keptSince } from '@turnward/contract/config/retention'
import { asTurnwardError } from '../core/error.ts'
import type { Services } from '../turns/services.ts'

const everyMs = 60_000

/** Goes on until it is closed. */
export function keepTidy({
  store,
  approvals,
  snapshot,
  clock,
  telemetry,
}: Pick<Services, 'store' | 'approvals' | 'snapshot' | 'clock' | 'telemetry'>): { close(): Promise<void> } {
  let running = Promise.resolve()
  const purge = async (): Promise<void> => {
    try {
      await store.files.purge(clock.now())
      await store.batches.purge(clock.now())
      await approvals.tidy()
      const { summaries, usage } = snapshot().settings.audit.retention
      const now = clock.now()
      await store.summaries.purge({ summaries: keptSince(summaries, now), usage: keptSince(usage, now) })
    } catch (error) {
      telemetry.logger.warn({ code: asTurnwardError(error).code }, 'what has expired could not be removed')
    }
  }
  const timer = setInterval(() => (running = running.then(purge)), everyMs)
  timer.unref()
  return {
    async close() {
      clearInterval(timer)
      await running
    },
  }
}
