/** A process that appends durably in a loop and prints every id that was acknowledged, until somebody kills it. */
import { silentLogger } from '../core/logger.ts'
import type { LogPlace } from './log-place.ts'
import { openDecisionLog } from './log-writer.ts'
import { decision } from './records.fixture.ts'

const place = JSON.parse(process.argv[2] ?? '') as LogPlace
const log = await openDecisionLog({ place, checkpointRecords: 50, checkpointMs: 60_000, logger: silentLogger })
const writeOn = async (lane: number): Promise<void> => {
  for (let number = 0; ; number += 1) {
    const record = decision({ id: `dec_${process.pid}_${lane}_${number}` })
    await log.appendDurably(record)
    process.stdout.write(`${record.id}\n`)
  }
}
await Promise.all([0, 1, 2, 3].map(writeOn))
