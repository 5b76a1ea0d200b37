/** Somebody who rewrote everything he could reach, in every copy and consistently, and has no key. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { genesisHash, nextHash } from './chain.ts'
import { logBackends, type TestLog } from './log-backends.fixture.ts'
import { openDecisionLog } from './log-writer.ts'
import { decision } from './records.fixture.ts'
import { verifyLog } from './verify.ts'

describe.each(logBackends.filter(({ isMissing }) => !isMissing))('a log in $name', (backend) => {
  let kept: TestLog
  beforeEach(async () => {
    kept = await backend.make()
    const log = await openDecisionLog({ place: kept.place, checkpointRecords: 5, checkpointMs: 60_000, logger: silentLogger })
    for (let index = 0; index < 10; index += 1) await log.appendDurably(decision())
    await log.close()
  })
  afterEach(() => kept[Symbol.asyncDispose]())

  /** Changes a record, recomputes the chain, and writes the new hashes into the checkpoints, keeping their signatures. */
  async function rewriteEverything(change: (text: string) => string): Promise<void> {
    const lines = kept.anchorLines().map((line) => JSON.parse(line) as { chain: string; seq: number; hash: string })
    const hashes = new Map<number, string>()
    let hash = genesisHash(lines[0]?.chain ?? '')
    const statements: string[] = []
    for (const row of await kept.change('SELECT seq, record FROM records ORDER BY seq')) {
      const [seq, text] = [Number(row['seq']), change(String(row['record']))]
      hash = nextHash(hash, text)
      hashes.set(seq, hash)
      statements.push(`UPDATE records SET record = '${text}', hash = '${hash}' WHERE seq = ${seq}`)
    }
    const forged = lines.map((checkpoint) => ({ ...checkpoint, hash: hashes.get(checkpoint.seq) ?? '' }))
    for (const { seq, hash: rewritten } of forged) statements.push(`UPDATE checkpoints SET hash = '${rewritten}' WHERE seq = ${seq}`)
    await kept.change(statements.join(';'))
    kept.writeAnchor(forged.map((checkpoint) => JSON.stringify(checkpoint)))
  }

  test('rewritten with its chain and both copies of its checkpoints is found by the signatures alone', async () => {
    await rewriteEverything((text) => text.replace('"action":"release"', '"action":"refuse"'))
    const { ok, checkpoints, problems } = await verifyLog(kept.place)
    expect({ ok, checkpoints }).toEqual({ ok: false, checkpoints: 0 })
    expect([...new Set(problems.map(({ kind, seq }) => `${kind} ${seq}`))]).toEqual(['checkpoint 5', 'checkpoint 10'])
  })

  test('is found by nothing when that hand changes nothing', async () => {
    await rewriteEverything((text) => text)
    expect(await verifyLog(kept.place)).toMatchObject({ ok: true, checkpoints: backend.chainPerWriter ? 3 : 2, problems: [] })
  })
})
