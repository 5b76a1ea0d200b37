/**
 * The kinds of place a decision log is kept in, for tests that must hold on both: `describe.each(logBackends)`. Each test gets
 * one of its own. PostgreSQL is the server of the test run; where there is none its rows are skipped.
 */
import { generateKeyPairSync } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import { makeDatabase, testPostgres } from '../store/backends.fixture.ts'
import { logTables } from '../store/postgres/log-tables.ts'
import type { FolderPlace, LogPlace, WriterPlace } from './log-place.ts'

export type TestRow = Readonly<Record<string, unknown>>

/** A log for one test, and the hand that changes what it holds. */
export interface TestLog<Place extends LogPlace = LogPlace> extends AsyncDisposable {
  readonly place: Place
  /** Runs statements on the tables, and gives the rows of the last one. */
  change(statements: string): Promise<readonly TestRow[]>
  /** The same log elsewhere. Nobody may have it open. */
  copy(): Promise<TestLog<Place>>
  anchorLines(): string[]
  writeAnchor(lines: readonly string[]): void
}

export interface LogBackend {
  readonly name: LogPlace['kind']
  readonly isMissing: boolean
  /** Whether a writer that ends signs that it did, and the next one begins a chain of its own. */
  readonly chainPerWriter: boolean
  make(): Promise<TestLog>
}

export const testKey = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

/** The log in a data folder. */
export function inFolder(dataDir: string): FolderPlace {
  return { kind: 'sqlite', dataDir }
}

function anchorIn(folder: string, name: string): Pick<TestLog, 'anchorLines' | 'writeAnchor'> {
  const path = join(folder, name)
  return {
    anchorLines: () => readFileSync(path, 'utf8').trimEnd().split('\n'),
    writeAnchor: (lines) => writeFileSync(path, lines.map((line) => `${line}\n`).join('')),
  }
}

function folderLog(from?: string): TestLog {
  const root = mkdtempSync(join(tmpdir(), 'turnward-log-'))
  const dataDir = join(root, 'data')
  if (from !== undefined) cpSync(from, dataDir, { recursive: true })
  return {
    place: inFolder(dataDir),
    async change(statements) {
      const database = new DatabaseSync(join(dataDir, 'decisions.db'))
      try {
        const all = statements.split(';').filter((statement) => statement.trim() !== '')
        const last = all.pop() ?? ''
        for (const statement of all) database.exec(statement)
        return database.prepare(last).all()
      } finally {
        database.close()
      }
    },
    copy: async () => folderLog(dataDir),
    ...anchorIn(dataDir, 'checkpoints.jsonl'),
    [Symbol.asyncDispose]: async () => rmSync(root, { recursive: true, force: true }),
  }
}

/** A log in a database of its own. `server`: address of another server than that of the test run. */
export async function databaseLog(options: { server?: string | undefined; from?: WriterPlace } = {}): Promise<TestLog<WriterPlace>> {
  const { from } = options
  const { place: database, drop } = await makeDatabase(
    options.server,
    from === undefined ? undefined : new URL(from.database.url).pathname.slice(1),
  )
  const dataDir = mkdtempSync(join(tmpdir(), 'turnward-evidence-'))
  if (from !== undefined) cpSync(from.dataDir, dataDir, { recursive: true })
  const place: WriterPlace = { kind: 'postgres', database, dataDir, privateKey: testKey, replica: 'eu-1', worker: 0 }
  const change = async (statements: string): Promise<readonly TestRow[]> => {
    const client = new Client({ connectionString: database.url })
    await client.connect()
    try {
      const results = await client.query(statements)
      return ([results].flat().at(-1)?.rows ?? []) as TestRow[]
    } finally {
      await client.end()
    }
  }
  if (from === undefined) for (const statement of logTables) await change(statement)
  return {
    place,
    change,
    copy: () => databaseLog({ server: options.server, from: place }),
    ...anchorIn(dataDir, 'checkpoints-0.jsonl'),
    async [Symbol.asyncDispose]() {
      rmSync(dataDir, { recursive: true, force: true })
      await drop()
    },
  }
}

export const logBackends: readonly LogBackend[] = [
  { name: 'sqlite', isMissing: false, chainPerWriter: false, make: async () => folderLog() },
  { name: 'postgres', isMissing: testPostgres === undefined, chainPerWriter: true, make: () => databaseLog() },
]
