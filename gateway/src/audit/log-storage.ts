/**
 * The decision log on disk, as its one writer sees it: commit a batch, sign a checkpoint. Synchronous; runs in the
 * log's thread. A commit writes all of a batch or nothing, and never leaves a gap or a fork in the chain.
 */
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { KeyObject } from 'node:crypto'
import { TurnwardError } from '../core/error.ts'
import { randomText } from '../core/ids.ts'
import { makePrivateFile, makePrivateFolder } from '../store/private-files.ts'
import { AnchorFile, readAnchor } from './anchor.ts'
import { genesisHash, nextHash } from './chain.ts'
import { signCheckpoint, signingKey, type Checkpoint } from './checkpoint.ts'
import { logFiles, logSchema, logSchemaFromVersion1, logSchemaVersion, type LogFiles } from './log-files.ts'
import type { ChainEnd, LogKeeper } from './log-keeper.ts'
import type { LogRow } from './log-protocol.ts'
import { belongingOf, SpanIndex } from './record-spans.ts'

/** Below a second, so that a commit blocked by a foreign lock fails in time. */
const busyTimeoutMs = 700
/** Records after which the places of turns and sessions are written down: what a look-up may have to look through. */
const defaultSpanRecords = 1000

export class LogStorage implements LogKeeper {
  readonly #files: LogFiles
  readonly #lock: DatabaseSync
  readonly #database: DatabaseSync
  readonly #key: KeyObject
  readonly #anchor: AnchorFile
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #insert: StatementSync
  readonly #insertCheckpoint: StatementSync
  readonly #spans: SpanIndex
  readonly #spanRecords: number
  readonly #inode: number
  readonly #chain: string
  #seq: number
  #hash: string
  /** Sequence number of the last checkpoint in the database. */
  #checkpointSeq: number
  /** Checkpoints that are in the database and not yet in the file outside it. */
  #unanchored: Checkpoint[]
  /** What an administrator should look at, found when the log was opened. */
  readonly warning: string | undefined

  /** Throws `audit.unwritable` when another process writes the log, when its end was altered, or when files are unusable. */
  constructor(dataDir: string, spanRecords: number = defaultSpanRecords) {
    this.#files = logFiles(dataDir)
    this.#spanRecords = spanRecords
    makePrivateFolder(dirname(this.#files.database))
    this.#lock = holdLock(this.#files.lock)
    try {
      this.#key = signingKey(this.#files)
      makePrivateFile(this.#files.database)
      this.#database = openDatabase(this.#files.database)
    } catch (error) {
      this.#lock.close()
      throw error
    }
    try {
      this.#inode = statSync(this.#files.database).ino
      this.#chain = chainName(this.#database)
      const tail = readTail(this.#database, this.#chain)
      this.#seq = tail.seq
      this.#hash = tail.hash
      const checkpoints = this.#database.prepare('SELECT * FROM checkpoints ORDER BY seq').all() as unknown as Checkpoint[]
      this.#checkpointSeq = checkpoints.at(-1)?.seq ?? 0
      const anchored = readAnchor(this.#files.anchor).map((line) => line.checkpoint)
      this.warning = conflictWithAnchor(anchored, this.#chain, this.#seq)
      const lastAnchored = anchored.reduce((last, one) => (one?.chain === this.#chain ? Math.max(last, one.seq) : last), 0)
      this.#anchor = new AnchorFile(this.#files.anchor)
      // Only the newest can be missing from a crash between the two writes; older gaps are evidence and stay.
      this.#unanchored = checkpoints.slice(-1).filter((checkpoint) => checkpoint.seq > lastAnchored)
      this.#begin = this.#database.prepare('BEGIN IMMEDIATE')
      this.#commit = this.#database.prepare('COMMIT')
      this.#insert = this.#database.prepare('INSERT INTO records (seq, hash, record) VALUES (?, ?, ?)')
      this.#insertCheckpoint = this.#database.prepare(
        'INSERT INTO checkpoints (seq, chain, hash, time, count, signature) VALUES (?, ?, ?, ?, ?, ?)',
      )
      this.#spans = new SpanIndex(this.#database)
      this.#noteUnindexed()
    } catch (error) {
      this.#database.close()
      this.#lock.close()
      throw error
    }
  }

  /** The last record on disk. */
  get end(): ChainEnd {
    return { writer: 0, seq: this.#seq, hash: this.#hash }
  }

  /** Records that no checkpoint covers yet. */
  get uncovered(): number {
    return this.#seq - this.#checkpointSeq
  }

  /** Writes the rows in one transaction and waits for the disk. When it throws, none of them is in the log. */
  commit(rows: readonly LogRow[]): void {
    const before = this.#seq
    let seq = before
    let hash = this.#hash
    const indexes = before - this.#spans.indexed >= this.#spanRecords
    this.#transaction(() => {
      if (indexes) this.#spans.write(before)
      for (const row of rows) {
        seq += 1
        hash = nextHash(hash, row.json)
        this.#insert.run(seq, hash, row.json)
      }
    })
    this.#seq = seq
    this.#hash = hash
    if (indexes) this.#spans.written(before)
    for (const [index, row] of rows.entries()) this.#spans.note(before + 1 + index, row)
  }

  /** Signs the state of the chain, in the database and in the file outside it. Does nothing when nothing is new. */
  checkpoint(time: number): void {
    this.#anchorPending()
    if (this.uncovered === 0) return
    const statement = { chain: this.#chain, seq: this.#seq, hash: this.#hash, time, count: this.uncovered }
    const checkpoint = signCheckpoint(statement, this.#key)
    this.#transaction(() => {
      this.#insertCheckpoint.run(checkpoint.seq, checkpoint.chain, checkpoint.hash, time, checkpoint.count, checkpoint.signature)
    })
    this.#checkpointSeq = checkpoint.seq
    this.#unanchored.push(checkpoint)
    this.#anchorPending()
  }

  /** Throws unless the log can be written, by writing to it. */
  probe(time: number): void {
    this.#transaction(() => {
      this.#database.prepare('UPDATE chain SET probed = ?').run(time)
    })
    this.#anchorPending()
  }

  close(time: number): void {
    try {
      this.checkpoint(time)
    } finally {
      this.#anchor.close()
      this.#database.close()
      this.#lock.close()
    }
  }

  #anchorPending(): void {
    for (let next = this.#unanchored[0]; next !== undefined; next = this.#unanchored[0]) {
      this.#anchor.append(next)
      this.#unanchored.shift()
    }
  }

  /** Takes in again where the records lie that a process before this one wrote and did not write down. */
  #noteUnindexed(): void {
    const page = this.#database.prepare('SELECT seq, record FROM records WHERE seq > ? ORDER BY seq LIMIT ?')
    for (let after = this.#spans.indexed; ; after = this.#spans.indexed) {
      let count = 0
      let last = after
      // One at a time: a thousand of them may be large.
      for (const row of page.iterate(after, this.#spanRecords)) {
        const { seq, record } = row as { seq: number; record: string }
        const belonging = belongingOf(record)
        if (belonging !== undefined) this.#spans.note(seq, belonging)
        count += 1
        last = seq
      }
      if (count < this.#spanRecords) return
      this.#transaction(() => this.#spans.write(last))
      this.#spans.written(last)
    }
  }

  #transaction(write: () => void): void {
    this.#checkFile()
    this.#begin.run()
    try {
      write()
      this.#commit.run()
    } catch (error) {
      // A failed COMMIT may have rolled back already; anything still open would carry rejected records into the next one.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  /** A deleted or replaced file would take our writes and lose them: SQLite does not look at the name again. */
  #checkFile(): void {
    const found = statSync(this.#files.database, { throwIfNoEntry: false })
    if (found?.ino !== this.#inode) throw new Error('the file of the decision log was removed or replaced')
  }
}

/** A lock the kernel gives back when the process dies, however it dies: an exclusive SQLite transaction that never ends. */
export function holdLock(path: string): DatabaseSync {
  makePrivateFile(path)
  const lock = new DatabaseSync(path, { timeout: 0 })
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return lock
  } catch (cause) {
    lock.close()
    throw new TurnwardError('audit.unwritable', {
      subject: path,
      why: 'another process is writing the decision log of this data directory',
      fix: 'Stop the other gateway, or give this one its own `data_dir`.',
      cause,
    })
  }
}

function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs })
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF')
    const version = database.prepare('PRAGMA user_version').get()?.['user_version']
    if (version === 0) database.exec(`BEGIN IMMEDIATE; ${logSchema}; COMMIT`)
    else if (version === 1) database.exec(`BEGIN IMMEDIATE; ${logSchemaFromVersion1}; COMMIT`)
    else if (version !== logSchemaVersion) {
      throw new TurnwardError('audit.unwritable', {
        subject: path,
        why: `its schema version ${String(version)} is not one this release writes`,
      })
    }
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** The name of the chain in this data folder; a new one on first use. */
function chainName(database: DatabaseSync): string {
  const found = database.prepare('SELECT name FROM chain').get()?.['name']
  if (typeof found === 'string') return found
  const name = `chain_${randomText(16)}`
  database.prepare('INSERT INTO chain (name, started) VALUES (?, ?)').run(name, Date.now())
  return name
}

/** Where the chain ends. Refuses to go on from a last record that was altered: what follows would vouch for it. */
function readTail(database: DatabaseSync, chain: string): { seq: number; hash: string } {
  const [last, before] = database.prepare('SELECT seq, hash, record FROM records ORDER BY seq DESC LIMIT 2').all()
  if (last === undefined) return { seq: 0, hash: genesisHash(chain) }
  const { seq, hash, record } = last as { seq: number; hash: string; record: string }
  const previous = before === undefined ? genesisHash(chain) : String(before['hash'])
  if (nextHash(previous, record) === hash) return { seq, hash }
  throw new TurnwardError('audit.unwritable', {
    subject: `record ${seq}`,
    why: 'the last record of the decision log was altered',
    fix: 'Run `turnward audit verify`, keep the files as evidence, and start with an empty data directory for the log.',
  })
}

function conflictWithAnchor(anchored: readonly (Checkpoint | undefined)[], chain: string, seq: number): string | undefined {
  const last = anchored.at(-1)
  if (last === undefined || (last.chain === chain && last.seq <= seq)) return undefined
  return 'the signed checkpoints cover records that are no longer in the decision log: run `turnward audit verify`'
}
