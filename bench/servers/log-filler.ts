/** Writes decision records into a PostgreSQL as fast as their log takes them, as the gateway's own writer does, and says how fast. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DecisionRecord } from '@turnward/contract/decision'
import { openDecisionLog } from '../../gateway/src/audit/log-writer.ts'
import { silentLogger } from '../../gateway/src/core/logger.ts'
import { openStoreAndLogPlace } from '../../gateway/src/cli/places.ts'

const [url = '', secret = '', count = '0'] = process.argv.slice(2)
const inBatch = 2000
const dataDir = mkdtempSync(join(tmpdir(), 'turnward-bench-log-'))
const store = { kind: 'postgres', url, pool: 2, connect_timeout_ms: 5000, statement_timeout_ms: 30_000 } as const
const cluster = { replica: 'filler', secret, previous_secrets: [] }
const opened = await openStoreAndLogPlace({ dataDir, store, cluster }, 0)
const log = await openDecisionLog({ place: opened.log, checkpointRecords: 1000, checkpointMs: 60_000, logger: silentLogger })
const total = Number(count)

function record(number: number): DecisionRecord {
  return {
    v: 1,
    id: `dec_0mx0wmrpexUT5rdT${number}`,
    type: number % 2 === 0 ? 'decision' : 'outcome',
    kind: 'model_call',
    time: 1_800_000_000_000 + number,
    principal: 'mara',
    actor: 'bench-agent',
    key: 'bench',
    session: `ses_0mx0wmrpexUT5rdT${Math.floor(number / 6)}`,
    turn: `turn_0mx0wmrpexUT5rdT${Math.floor(number / 2)}`,
    subject: 'bench-json',
    labelBefore: { trust: 'trusted', audience: [] },
    labelAfter: { trust: 'trusted', audience: [] },
    verdict: 'allow',
    action: 'release',
    rules: ['grant #1'],
    reason: 'granted by grant #1',
    credential: 'vendor',
    revision: '0123456789ab',
  }
}

const began = performance.now()
for (let from = 0; from < total; from += inBatch) {
  const size = Math.min(inBatch, total - from)
  const written = Array.from({ length: size }, (_, at) => log.appendDurably(record(from + at)))
  await Promise.all(written)
}
const seconds = (performance.now() - began) / 1000
await log.close()
await opened.store.close()
rmSync(dataDir, { recursive: true, force: true })
process.stdout.write(`${JSON.stringify({ perSecond: total / seconds })}\n`)
