/**
 * Proof of a decision log in PostgreSQL: the register of writers, the chain of every one of them, the dead ones included, their
 * checkpoints, and the evidence of this replica outside the database. One picture of the database, in pages, while gateways write.
 */
import type { KeyObject } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { TurnwardError } from '../../core/error.ts'
import { shownPlace } from '../../store/postgres/connecting.ts'
import { readAnchor, type AnchorLine } from '../anchor.ts'
import type { Checkpoint } from '../checkpoint.ts'
import { logFiles } from '../log-files.ts'
import type { DatabasePlace } from '../log-place.ts'
import { ChainVerifier, problemLimit, type LookUps, type StoredRow } from '../verify-chain.ts'
import { missingChain, verifyCheckpoints } from '../verify-checkpoints.ts'
import type { ChainReport, VerifyProblem, VerifyReport } from '../verify.ts'
import { checkpointsAfter } from './chain-in-database.ts'
import { writersAfter, type Writer } from './register.ts'
import { withSession, type Session } from './session.ts'
import { RegisterVerifier } from './verify-register.ts'
import { columnText } from './wire-text.ts'

const pageSize = 1000
const pageRecords = 250
const chainLimit = 1000

type Row = StoredRow & { readonly time: number; readonly session: string | null; readonly turn: string | null } & Record<string, unknown>

const columns: LookUps<Row> = {
  kinds: ['turn', 'session', 'time'],
  isFound: (kind, key, row) => (typeof key === 'number' ? row.time === key : kind !== 'time' && row[kind] === columnText(key)),
}

/** Verifies the whole log. Without a key nothing that is signed holds. Rejects with `store.failed`. */
export function verifyDatabase(place: DatabasePlace, key: KeyObject | undefined): Promise<VerifyReport> {
  // The order matters while gateways write: they put a checkpoint into the database first and into the file second.
  const anchor = anchorsOf(place.dataDir, (file) => workerAnchor.test(file))
  // A log that began in this folder and was copied. Where it was not, the file says nothing of the database.
  const folderAnchor = anchorsOf(place.dataDir, (file) => file === basename(logFiles(place.dataDir).anchor))
  return withSession(place.database, 'turnward verifying', async (session) => {
    await session.query('begin isolation level repeatable read, read only')
    const { rows } = await session.query<{ there: boolean }>(`select to_regclass('writers') is not null as there`)
    if (rows[0]?.there !== true)
      throw new TurnwardError('store.failed', { subject: shownPlace(place.database), why: 'there is no decision log here' })
    return new Verification(session, key, anchor, folderAnchor).run()
  })
}

/** What this replica's workers wrote down of a log in a database. */
const workerAnchor = /^checkpoints-\d+\.jsonl$/

/** The lines of every such file in the folder, by their chain. Those that are no checkpoint are under the empty name. */
function anchorsOf(dataDir: string, isOne: (file: string) => boolean): Map<string, AnchorLine[]> {
  const found = new Map<string, AnchorLine[]>()
  if (!existsSync(dataDir)) return found
  for (const name of readdirSync(dataDir).filter(isOne)) {
    for (const line of readAnchor(join(dataDir, name))) {
      const chain = line.checkpoint?.chain ?? ''
      const lines = found.get(chain)
      if (lines === undefined) found.set(chain, [line])
      else lines.push(line)
    }
  }
  return found
}

class Verification {
  readonly #session: Session
  readonly #key: KeyObject | undefined
  readonly #anchor: Map<string, AnchorLine[]>
  readonly #folderAnchor: ReadonlyMap<string, AnchorLine[]>
  readonly #problems: VerifyProblem[] = []
  readonly #chains: ChainReport[] = []
  #totals = { records: 0, checkpoints: 0, uncovered: 0 }
  #lastCheckpoint: Checkpoint | null = null

  constructor(
    session: Session,
    key: KeyObject | undefined,
    anchor: Map<string, AnchorLine[]>,
    folderAnchor: ReadonlyMap<string, AnchorLine[]>,
  ) {
    this.#session = session
    this.#key = key
    this.#anchor = anchor
    this.#folderAnchor = folderAnchor
  }

  async run(): Promise<VerifyReport> {
    const register = new RegisterVerifier(this.#key)
    for (let number = Number.MIN_SAFE_INTEGER; ;) {
      const page = await writersAfter(this.#session, Math.max(number, -(2 ** 31)), pageSize)
      for (const writer of page) {
        this.#report(register.add(writer))
        await this.#chain(writer)
      }
      const last = page.at(-1)
      if (last === undefined) break
      number = last.number
    }
    await this.#withoutWriter()
    for (const [chain, lines] of this.#anchor) {
      const last = lines.at(-1)
      if (last?.checkpoint !== undefined) this.#report([{ ...missingChain(last.checkpoint, this.#key), chain }])
      else
        for (const { line } of lines)
          this.#report([{ seq: 0, kind: 'checkpoint', detail: `line ${line} of checkpoints.jsonl is not a checkpoint` }])
    }
    return {
      ok: this.#problems.length === 0,
      ...this.#totals,
      lastCheckpoint: this.#lastCheckpoint,
      problems: this.#problems,
      chains: this.#chains,
    }
  }

  #report(problems: Iterable<VerifyProblem>): void {
    for (const problem of problems) if (this.#problems.length < problemLimit) this.#problems.push(problem)
  }

  async #chain(writer: Writer): Promise<void> {
    const { chain } = writer
    const stored = await this.#checkpoints(writer)
    const anchorBefore = [...(this.#anchor.get(chain) ?? []), ...(writer.origin === 'copied' ? (this.#folderAnchor.get(chain) ?? []) : [])]
    this.#anchor.delete(chain)
    const { valid, problems } = verifyCheckpoints({ chain, database: stored, anchorBefore, anchorAfter: undefined, key: this.#key })
    const verifier = new ChainVerifier<Row>(chain, new Map(valid.map(({ seq, hash }) => [seq, hash])), columns)
    for await (const page of this.#pages(writer.number)) for (const row of page) verifier.add(row)
    const last = valid.at(-1)
    const found = [...problems, ...verifier.finish()]
    const end = verifier.lastSeq
    if (last !== undefined && last.seq > end)
      found.push({ seq: end + 1, kind: 'tail_cut', detail: `a signed checkpoint covers ${last.seq} records; the chain ends at ${end}` })
    const closing = valid.find(({ closed }) => closed === true)
    if (closing !== undefined && (closing.seq < end || closing !== last))
      found.push({ seq: closing.seq + 1, kind: 'edited', detail: 'something follows the checkpoint that closed the chain' })
    this.#report(found.map((problem) => ({ ...problem, chain })))
    const uncovered = Math.max(0, end - (last?.seq ?? 0))
    this.#count(valid, { chain, replica: writer.replica, records: verifier.count, uncovered, closed: closing !== undefined })
  }

  #count(valid: readonly Checkpoint[], report: ChainReport): void {
    const { records, checkpoints, uncovered } = this.#totals
    this.#totals = { records: records + report.records, checkpoints: checkpoints + valid.length, uncovered: uncovered + report.uncovered }
    const last = valid.at(-1) ?? null
    if (last !== null && last.time >= (this.#lastCheckpoint?.time ?? 0)) this.#lastCheckpoint = last
    this.#chains.push(report)
    if (this.#chains.length > chainLimit) this.#chains.shift()
  }

  async #checkpoints(writer: Writer): Promise<Checkpoint[]> {
    const all: Checkpoint[] = []
    for (let after = { seq: Number.MIN_SAFE_INTEGER, closed: false }; ;) {
      const page = await checkpointsAfter(this.#session, writer, after, pageSize)
      all.push(...page)
      const last = page.at(-1)
      if (last === undefined || last.seq < after.seq) return all
      after = { seq: last.seq, closed: last.closed ?? false }
    }
  }

  /** The next page is on its way while one is looked at. Pages are bounded in bytes, too. */
  async *#pages(writer: number): AsyncGenerator<readonly Row[]> {
    const read = async (after: number): Promise<readonly Row[]> =>
      (await this.#session.query<Row>(pageStatement, [writer, after], 'verify')).rows
    let next = read(Number.MIN_SAFE_INTEGER)
    for (let after = Number.MIN_SAFE_INTEGER; ;) {
      const page = await next
      const last = page.at(-1)
      // A number that JavaScript cannot hold would be read again and again; it is reported as one that no writer gives.
      if (last === undefined || last.seq <= after) return
      after = last.seq
      next = read(after)
      // Its failure is seen where it is awaited.
      next.catch(() => {})
      yield page
    }
  }

  /** Records and checkpoints of nobody who is registered. Goes from one number to the next by the index. */
  async #withoutWriter(): Promise<void> {
    for (const table of ['records', 'checkpoints']) {
      const { rows } = await this.#session.query<{ writer: number }>(
        `with recursive found as (
          (select writer from ${table} order by writer limit 1)
          union all
          select (select writer from ${table} where writer > found.writer order by writer limit 1) from found where found.writer is not null
        ) select writer from found where writer is not null and not exists (select from writers where number = writer) limit $1`,
        [problemLimit],
      )
      this.#report(
        rows.map(({ writer }) => ({ seq: 0, kind: 'writer', detail: `${table} of writer ${writer}, who is not in the register` })),
      )
    }
  }
}

/** At most so many records, and not many more bytes than 1 MiB of them. */
const pageStatement = `select seq, hash, time, session, turn, record from (
    select *, sum(octet_length(record)) over (order by seq) - octet_length(record) as before from (
      select seq, hash, time, session, turn, record from records where writer = $1 and seq > $2 order by seq limit ${pageRecords}
    ) as page
  ) as sized where before < 1048576 order by seq`
