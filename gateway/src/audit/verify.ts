/**
 * Proof that a decision log is what its writer wrote: every record follows from the one before, and the signed
 * checkpoints hold. Read-only, in pages, while a gateway may be writing.
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { setImmediate as pause } from 'node:timers/promises'
import { TurnwardError } from '../core/error.ts'
import { readAnchor } from './anchor.ts'
import { verificationKey, type Checkpoint } from './checkpoint.ts'
import { logFiles, type LogFiles } from './log-files.ts'
import { openForReading } from './log-reader.ts'
import type { ReadingPlace } from './log-place.ts'
import { verifyDatabase } from './postgres/verify-database.ts'
import { spanFinder, spanKinds } from './record-spans.ts'
import { ChainVerifier, problemLimit, type LookUps, type StoredRow } from './verify-chain.ts'
import { verifyCheckpoints } from './verify-checkpoints.ts'

export interface VerifyProblem {
  /** The record it was found at; 0 when it is not about one. */
  readonly seq: number
  readonly kind: 'edited' | 'missing' | 'reordered' | 'tail_cut' | 'checkpoint' | 'writer'
  readonly detail: string
  /** Name of the chain, where a log has several. */
  readonly chain?: string
}

/** One writer's chain. */
export interface ChainReport {
  readonly chain: string
  /** Name of the replica that wrote it; null in a folder. */
  readonly replica: string | null
  readonly records: number
  /** Records that no checkpoint covers: all there is to say of what a process wrote just before it died. */
  readonly uncovered: number
  /** Whether its writer ended it; false for one that is at work or died. */
  readonly closed: boolean
}

export interface VerifyReport {
  readonly ok: boolean
  readonly records: number
  /** Checkpoints whose signature holds. */
  readonly checkpoints: number
  readonly lastCheckpoint: Checkpoint | null
  /** Records after the last checkpoint: chained, not yet signed. */
  readonly uncovered: number
  /** At most 1,000. */
  readonly problems: readonly VerifyProblem[]
  /** One in a folder; in a database one for each writer, the newest 1,000 of them. */
  readonly chains: readonly ChainReport[]
}

export interface VerifyOptions {
  /** PEM of a public key kept elsewhere; default: `checkpoint.pub` of the folder, which whoever rewrote the log could have replaced. */
  readonly publicKey?: string | undefined
}

const pageSize = 1000

/** Verifies a log. Rejects with `store.failed` when there is none or it cannot be read. */
export async function verifyLog(place: ReadingPlace, options: VerifyOptions = {}): Promise<VerifyReport> {
  if (place.kind === 'postgres') return verifyDatabase(place, readKey(logFiles(place.dataDir), options))
  const { dataDir } = place
  const files = logFiles(dataDir)
  // The order matters while a gateway writes: it puts a checkpoint into the database first and into the file second.
  const anchorBefore = readAnchor(files.anchor)
  const database = openForReading(dataDir)
  if (database === undefined && anchorBefore.length === 0)
    throw new TurnwardError('store.failed', { subject: dataDir, why: 'there is no decision log here' })
  try {
    const stored = (database?.prepare('SELECT * FROM checkpoints ORDER BY seq').all() ?? []) as unknown as Checkpoint[]
    const lastSeq = Number(database?.prepare('SELECT max(seq) AS seq FROM records').get()?.['seq'] ?? 0)
    const chain = String(database?.prepare('SELECT name FROM chain').get()?.['name'] ?? anchorBefore[0]?.checkpoint?.chain ?? '')
    const anchorAfter = readAnchor(files.anchor)
    const { valid, problems } = verifyCheckpoints({ chain, database: stored, anchorBefore, anchorAfter, key: readKey(files, options) })

    const verifier = new ChainVerifier(chain, new Map(valid.map((checkpoint) => [checkpoint.seq, checkpoint.hash])), spanLookUps(database))
    if (database !== undefined) {
      for (const page of pages(database, lastSeq)) {
        for (const row of page) verifier.add(row)
        await pause()
      }
    }
    const found = [...problems, ...verifier.finish()]
    const lastCheckpoint = valid.at(-1) ?? null
    if (lastCheckpoint !== null && lastCheckpoint.seq > verifier.lastSeq) {
      const detail = `a signed checkpoint covers ${lastCheckpoint.seq} records; the log ends at ${verifier.lastSeq}`
      found.push({ seq: verifier.lastSeq + 1, kind: 'tail_cut', detail })
    }
    return {
      ok: found.length === 0,
      records: verifier.count,
      checkpoints: valid.length,
      lastCheckpoint,
      uncovered: Math.max(0, verifier.lastSeq - (lastCheckpoint?.seq ?? 0)),
      problems: found.slice(0, problemLimit),
      chains: [
        {
          chain,
          replica: null,
          records: verifier.count,
          uncovered: Math.max(0, verifier.lastSeq - (lastCheckpoint?.seq ?? 0)),
          closed: false,
        },
      ],
    }
  } catch (error) {
    if (error instanceof TurnwardError) throw error
    throw new TurnwardError('store.failed', {
      subject: files.database,
      why: error instanceof Error ? error.message : undefined,
      cause: error,
    })
  } finally {
    database?.close()
  }
}

function spanLookUps(database: DatabaseSync | undefined): LookUps<StoredRow> {
  const find = database === undefined ? () => true : spanFinder(database)
  return {
    kinds: spanKinds,
    isFound: (kind, key, { seq }) => kind === 'time' || typeof key !== 'string' || find(kind, key, seq),
  }
}

function* pages(database: DatabaseSync, lastSeq: number): Generator<StoredRow[]> {
  const statement = database.prepare('SELECT * FROM records WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?')
  let after = Number.MIN_SAFE_INTEGER
  for (;;) {
    const rows = statement.all(after, lastSeq, pageSize) as unknown as StoredRow[]
    const last = rows.at(-1)
    if (last === undefined) return
    yield rows
    after = last.seq
  }
}

function readKey(files: LogFiles, options: VerifyOptions): KeyObject | undefined {
  try {
    return options.publicKey === undefined ? verificationKey(files) : createPublicKey(options.publicKey)
  } catch {
    return undefined
  }
}
