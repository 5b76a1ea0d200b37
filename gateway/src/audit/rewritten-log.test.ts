/** Somebody who rewrote everything he could reach, in every copy and consistently, and has no key. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { genesisHash, nextHash } from './chain.ts'
import { openDecisionLog } from './log-writer.ts'
import { decision } from './records.fixture.ts'
import { verifyLog } from './verify.ts'

let folder: string
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'turnward-verify-'))
  const log = await openDecisionLog({ dataDir: folder, checkpointRecords: 5, checkpointMs: 60_000, logger: silentLogger })
  for (let index = 0; index < 10; index += 1) await log.appendDurably(decision())
  await log.close()
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Changes a record, recomputes the chain, and writes the new hashes into the checkpoints, keeping their signatures. */
function rewriteEverything(change: (text: string) => string): void {
  const database = new DatabaseSync(join(folder, 'decisions.db'))
  const hashes = new Map<number, string>()
  let hash = genesisHash(String(database.prepare('SELECT name FROM chain').get()?.['name']))
  for (const row of database.prepare('SELECT seq, record FROM records ORDER BY seq').all()) {
    const [seq, text] = [Number(row['seq']), change(String(row['record']))]
    hash = nextHash(hash, text)
    hashes.set(seq, hash)
    database.prepare('UPDATE records SET record = ?, hash = ? WHERE seq = ?').run(text, hash, seq)
  }
  const path = join(folder, 'checkpoints.jsonl')
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  const forged = lines.map((line) => {
    const checkpoint = JSON.parse(line) as { seq: number; hash: string }
    const rewritten = { ...checkpoint, hash: hashes.get(checkpoint.seq) ?? '' }
    database.prepare('UPDATE checkpoints SET hash = ? WHERE seq = ?').run(rewritten.hash, rewritten.seq)
    return `${JSON.stringify(rewritten)}\n`
  })
  database.close()
  writeFileSync(path, forged.join(''))
}

test('a log rewritten with its chain and both copies of its checkpoints is found by the signatures alone', async () => {
  rewriteEverything((text) => text.replace('"action":"allow"', '"action":"deny"'))
  const { ok, checkpoints, problems } = await verifyLog(folder)
  expect({ ok, checkpoints }).toEqual({ ok: false, checkpoints: 0 })
  expect(problems.map(({ kind, seq }) => `${kind} ${seq}`)).toEqual(['checkpoint 5', 'checkpoint 10'])
})

test('and the same hand that changes nothing changes nothing', async () => {
  rewriteEverything((text) => text)
  expect(await verifyLog(folder)).toMatchObject({ ok: true, checkpoints: 2, problems: [] })
})
