/**
 * Brings the log of a data folder into a database: its chain under its own name, records and checkpoints exactly as they are, so
 * that what was signed stays signed. Can be repeated: it goes on where it stopped, and adds what has come since.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { TurnwardError } from '../core/error.ts'
import { asStoreFailure, shownPlace, type PostgresPlace } from '../store/postgres/connecting.ts'
import { checkpointLine, verificationKey, type Checkpoint } from './checkpoint.ts'
import { logFiles } from './log-files.ts'
import { openForReading } from './log-reader.ts'
import { insertCheckpoint, lastCheckpoint, lastRecord } from './postgres/chain-in-database.ts'
import { openForWriting } from './postgres/preparing.ts'
import { register, writerOfChain, type Writer } from './postgres/register.ts'
import type { Session } from './postgres/session.ts'
import { copyText, insertStatement } from './postgres/wire-text.ts'

export interface CopyOptions {
  readonly fromDataDir: string
  readonly to: PostgresPlace
  /** The signing key of the installation, PKCS 8 PEM: the one of the folder. */
  readonly privateKey: string
}

export interface CopyReport {
  /** Name of the chain; null when the folder has no log. */
  readonly chain: string | null
  /** Records that were copied now, and all there are of this chain in the database. */
  readonly copiedRecords: number
  readonly records: number
  readonly copiedCheckpoints: number
  readonly checkpoints: number
}

const pageRecords = 1000
const pageCharacters = 4 * 1024 * 1024

/** Copies what is not there yet. Rejects with `store.failed`, also when the database has another chain under this name. */
export async function copyLog({ fromDataDir, to, privateKey }: CopyOptions): Promise<CopyReport> {
  const source = openForReading(fromDataDir)
  const chain = source?.prepare('SELECT name, started FROM chain').get() as { name: string; started: number } | undefined
  if (source === undefined || chain === undefined) {
    source?.close()
    return { chain: null, copiedRecords: 0, records: 0, copiedCheckpoints: 0, checkpoints: 0 }
  }
  let session: Session | undefined
  try {
    const key = createPrivateKey(privateKey)
    if (!verificationKey(logFiles(fromDataDir)).equals(createPublicKey(key)))
      throw refused(logFiles(fromDataDir).publicKey, 'the log of this folder was signed with another key than the one of the database')
    session = await openForWriting(to)
    const writer = (await writerOfChain(session, chain.name)) ?? (await registerCopy(session, privateKey, chain))
    if (writer.origin !== 'copied') throw refused(shownPlace(to), `${chain.name} is the chain of a gateway that writes to this database`)
    await session.own(writer.number)
    const records = await copyRecords(source, session, writer)
    const checkpoints = await copyCheckpoints(source, session, writer, records.records)
    return { chain: chain.name, ...records, ...checkpoints }
  } catch (error) {
    throw asStoreFailure(error, to)
  } finally {
    source.close()
    await session?.end()
  }
}

function registerCopy(session: Session, privateKey: string, { name, started }: { name: string; started: number }): Promise<Writer> {
  const key = createPrivateKey(privateKey)
  return register(session, key, createPublicKey(key), { chain: name, replica: 'embedded', worker: 0, started, origin: 'copied' })
}

async function copyRecords(source: DatabaseSync, session: Session, writer: Writer): Promise<{ copiedRecords: number; records: number }> {
  const there = await lastRecord(session, writer)
  const same = source.prepare('SELECT hash FROM records WHERE seq = ?').get(there.seq)?.['hash']
  if (there.seq > 0 && same !== there.hash)
    throw refused(
      writer.chain,
      `the database has another record ${there.seq} of this chain than the folder: one of the two was changed, or is older`,
    )
  const records = source.prepare('SELECT seq, hash, record FROM records WHERE seq > ? ORDER BY seq')
  let last = there.seq
  let page: { seq: number; hash: string; record: string }[] = []
  let characters = 0
  const write = async (): Promise<void> => {
    if (page.length === 0) return
    await session.query(insertStatement, [copyText(page), writer.number, last], 'copy')
    last += page.length
    ;[page, characters] = [[], 0]
  }
  for (const row of records.iterate(there.seq)) {
    const found = row as unknown as { seq: number; hash: string; record: string }
    if (found.seq !== last + page.length + 1 || /[\0\t\n]/.test(found.record))
      throw refused(`record ${found.seq}`, 'it is missing, or not what a gateway writes', 'Run `turnward audit verify` on the folder.')
    page.push(found)
    characters += found.record.length
    if (page.length === pageRecords || characters > pageCharacters) await write()
  }
  await write()
  return { copiedRecords: last - there.seq, records: last }
}

async function copyCheckpoints(
  source: DatabaseSync,
  session: Session,
  writer: Writer,
  lastSeq: number,
): Promise<{ copiedCheckpoints: number; checkpoints: number }> {
  const last = await lastCheckpoint(session, writer)
  const all = source.prepare('SELECT * FROM checkpoints WHERE seq <= ? ORDER BY seq').all(lastSeq) as unknown as Checkpoint[]
  const same = all.find(({ seq }) => seq === last?.seq)
  if (last !== undefined && (same === undefined || checkpointLine(same) !== checkpointLine(last)))
    throw refused(writer.chain, `the database has another checkpoint at record ${last.seq} than the folder`)
  const missing = all.filter(({ seq }) => seq > (last?.seq ?? 0))
  for (const checkpoint of missing) await insertCheckpoint(session, writer.number, checkpoint)
  return { copiedCheckpoints: missing.length, checkpoints: all.length }
}

function refused(subject: string, why: string, fix?: string): TurnwardError {
  return new TurnwardError('store.failed', { subject, why, fix: fix ?? 'Run `turnward audit verify` on both, and keep both as evidence.' })
}
