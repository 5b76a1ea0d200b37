/** A log with its summaries, on each kind of store: written, counted and read by as many as a test wants. Not part of the product. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DecisionRecord } from '@turnward/contract/decision'
import { silentLogger } from '../../core/logger.ts'
import { storeBackends } from '../../store/backends.fixture.ts'
import type { Store } from '../../store/store.ts'
import { testKey } from '../log-backends.fixture.ts'
import type { LogPlace } from '../log-place.ts'
import { openDecisionLog, type OpenDecisionLog } from '../log-writer.ts'
import { LogReadingThread } from '../reading/log-reading.ts'
import { countAll } from './counting-all.ts'

export interface SummarisedLog extends AsyncDisposable {
  readonly place: LogPlace
  readonly store: Store
  readonly reading: LogReadingThread
  /** Opens the log as one more writer; the first one is there already. Only in PostgreSQL. */
  writer(replica: string): Promise<OpenDecisionLog>
  /** Writes with the first writer. */
  write(...records: readonly DecisionRecord[]): Promise<void>
  /** Counts what is new. */
  count(): Promise<void>
}

export interface SummariesBackend {
  readonly name: string
  make(): Promise<SummarisedLog>
}

export const summariesBackends: readonly SummariesBackend[] = storeBackends
  .filter(({ isMissing }) => !isMissing)
  .map(({ name, make }) => ({
    name,
    async make() {
      const stores = await make()
      const store = await stores.open()
      const folder = mkdtempSync(join(tmpdir(), 'turnward-summaries-'))
      const placeOf = (replica: string): LogPlace =>
        stores.place.kind === 'sqlite'
          ? { kind: 'sqlite', dataDir: stores.place.dataDir }
          : {
              kind: 'postgres',
              database: stores.place.database,
              dataDir: join(folder, replica),
              privateKey: testKey,
              replica,
              worker: 0,
            }
      const logs: OpenDecisionLog[] = []
      const writer = async (replica: string): Promise<OpenDecisionLog> => {
        const log = await openDecisionLog({
          place: placeOf(replica),
          checkpointRecords: 10_000,
          checkpointMs: 60_000,
          logger: silentLogger,
        })
        logs.push(log)
        return log
      }
      const first = await writer('one')
      const reading = new LogReadingThread(placeOf('one'))
      return {
        place: placeOf('one'),
        store,
        reading,
        writer,
        async write(...records) {
          for (const record of records.slice(0, -1)) first.append(record)
          for (const record of records.slice(-1)) await first.appendDurably(record)
        },
        count: () => countAll({ summaries: store.summaries, reading, goesOn: () => true }),
        async [Symbol.asyncDispose]() {
          await reading.close()
          for (const log of logs) await log.close()
          await stores[Symbol.asyncDispose]()
          rmSync(folder, { recursive: true, force: true })
        },
      }
    },
  }))
