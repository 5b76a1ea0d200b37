/**
 * One writer's chain in PostgreSQL. A batch is one statement. When its answer is lost, nothing is guessed: the old connection is
 * ended, and the end of the chain says whether the batch is there. A chain that is not as this writer left it is never gone on with.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { TurnwardError } from '../../core/error.ts'
import { asStoreFailure } from '../../store/postgres/connecting.ts'
import { genesisHash } from '../chain.ts'
import { signCheckpoint, type Checkpoint } from '../checkpoint.ts'
import type { ChainEnd, LogKeeper } from '../log-keeper.ts'
import { evidenceFiles, type WriterPlace } from '../log-place.ts'
import type { LogRow } from '../log-protocol.ts'
import { insertCheckpoint, lastCheckpoint, resumedEnd, seenChain, wentBack } from './chain-in-database.ts'
import { Evidence } from './evidence.ts'
import { checkAgainstEvidence, openForWriting, unsafeSettings } from './preparing.ts'
import { newChainName, register, writersAfter, type Writer } from './register.ts'
import { wasRefused, type Session } from './session.ts'
import { insertStatement, insertText } from './wire-text.ts'

const firstPauseMs = 100
const longestPauseMs = 2000
/** How long a writer that closes tries to find out what became of its last statement. */
const closingMs = 5000

export interface PostgresLogOptions {
  /** The end that the thread before this one knew, to go on with its chain. */
  readonly resume?: ChainEnd | undefined
  /** Called each time the database could not be asked what became of a statement. */
  readonly onUnsettled?: ((why: unknown) => void) | undefined
}

/** What a statement would make of the chain, if it was done. */
interface Attempt {
  readonly end?: ChainEnd
  readonly checkpoint?: Checkpoint
}

export class PostgresLog implements LogKeeper {
  readonly #place: WriterPlace
  readonly #options: PostgresLogOptions
  readonly #key: KeyObject
  readonly #evidence: Evidence
  readonly #writer: Writer
  readonly warning: string | undefined
  #session: Session
  #end: ChainEnd
  #checkpoint: { readonly seq: number; readonly signature: string | null }
  /** How many statements are on their way, with those that find out what became of them. */
  #work = 0
  /** Why this writer may write no more. */
  #ended: TurnwardError | undefined
  /** Milliseconds of `performance.now` after which nobody waits for the database any more. */
  #giveUpAt = Number.POSITIVE_INFINITY

  private constructor(
    parts: { place: WriterPlace; options: PostgresLogOptions; key: KeyObject; evidence: Evidence },
    writer: Writer,
    session: Session,
    seen: { seq: number; hash: string; checkpoint: Checkpoint | undefined },
    warning?: string,
  ) {
    this.warning = warning
    this.#place = parts.place
    this.#options = parts.options
    this.#key = parts.key
    this.#evidence = parts.evidence
    this.#writer = writer
    this.#session = this.#watched(session)
    this.#end = { writer: writer.number, seq: seen.seq, hash: seen.hash }
    this.#checkpoint = { seq: seen.checkpoint?.seq ?? 0, signature: seen.checkpoint?.signature ?? null }
  }

  /** Begins a chain, or goes on with the one of a thread that died. Rejects with `audit.unwritable` or `store.failed`. */
  static async open(place: WriterPlace, options: PostgresLogOptions = {}): Promise<PostgresLog> {
    const key = createPrivateKey(place.privateKey)
    const evidence = new Evidence(evidenceFiles(place.dataDir, place.worker), key)
    const parts = { place, options, key, evidence }
    try {
      return await (options.resume === undefined ? PostgresLog.#begin(parts) : PostgresLog.#resume(parts, options.resume))
    } catch (error) {
      evidence.close()
      throw asStoreFailure(error, place.database)
    }
  }

  static async #begin(parts: {
    place: WriterPlace
    options: PostgresLogOptions
    key: KeyObject
    evidence: Evidence
  }): Promise<PostgresLog> {
    const { place, key, evidence } = parts
    const { replica, worker } = place
    if (!/^[\w.-]{1,100}$/.test(replica))
      throw new TurnwardError('audit.unwritable', {
        subject: 'cluster.replica',
        why: 'a name has 1 to 100 letters, digits, `.`, `-` and `_`',
      })
    const session = await openForWriting(place.database)
    try {
      await checkAgainstEvidence(session, evidence.path)
      const started = Date.now()
      const chain = newChainName(replica, worker, started)
      const writer = await register(session, key, createPublicKey(key), { chain, replica, worker, started, origin: 'started' })
      await session.own(writer.number)
      return new PostgresLog(
        parts,
        writer,
        session,
        { seq: 0, hash: genesisHash(chain), checkpoint: undefined },
        await unsafeSettings(session),
      )
    } catch (error) {
      session.drop()
      throw error
    }
  }

  static async #resume(
    parts: { place: WriterPlace; options: PostgresLogOptions; key: KeyObject; evidence: Evidence },
    known: ChainEnd,
  ): Promise<PostgresLog> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
      let session: Session | undefined
      try {
        session = await openForWriting(parts.place.database)
        await session.own(known.writer)
        const [writer] = await writersAfter(session, known.writer - 1, 1)
        if (writer?.number !== known.writer)
          throw new TurnwardError('audit.unwritable', {
            subject: `writer ${known.writer}`,
            why: 'the decision log went back in time: it is not in its register any more',
          })
        const { seq, hash } = await resumedEnd(session, writer, known)
        const checkpoint = await lastCheckpoint(session, writer)
        if (checkpoint !== undefined) parts.evidence.addUnlessKept(checkpoint)
        return new PostgresLog(parts, writer, session, { seq, hash, checkpoint })
      } catch (error) {
        session?.drop()
        if (isFinal(error)) throw error
        parts.options.onUnsettled?.(asStoreFailure(error, parts.place.database))
        await pause(pauseMs)
      }
    }
  }

  get end(): ChainEnd {
    return this.#end
  }

  get uncovered(): number {
    return this.#end.seq - this.#checkpoint.seq
  }

  commit(rows: readonly LogRow[]): Promise<void> {
    return this.#working(() => this.#commit(rows))
  }

  /** Signs where the chain is, unless that is signed already. */
  checkpoint(time: number): Promise<void> {
    return this.#working(async () => {
      this.#evidence.write()
      if (this.uncovered > 0) await this.#sign(time, {})
    })
  }

  /** Writes a record and takes it back, which only a log that can be written allows. */
  probe(): Promise<void> {
    return this.#working(() => this.#probe())
  }

  close(time: number): Promise<void> {
    return this.#working(() => this.#close(time))
  }

  async #commit(rows: readonly LogRow[]): Promise<void> {
    await this.#connected()
    const { text, hash } = insertText(rows, this.#end.hash)
    const { writer, seq } = this.#end
    const end = { writer, seq: seq + rows.length, hash }
    await this.#settled({ end }, () => this.#session.query(insertStatement, [text, writer, seq], 'commit'))
  }

  async #probe(): Promise<void> {
    await this.#connected()
    const { writer, seq } = this.#end
    try {
      await this.#session.query('begin')
      await this.#session.query(insertStatement, [`${'0'.repeat(64)}\t0\t\t\t{}`, writer, seq])
      await this.#session.query('rollback')
    } catch (error) {
      this.#session.drop()
      throw asStoreFailure(error, this.#place.database)
    }
    this.#compare(await this.#seen(), {})
    this.#evidence.write()
  }

  async #close(time: number): Promise<void> {
    this.#giveUpAt = performance.now() + closingMs
    try {
      await this.#sign(time, { closed: true })
    } finally {
      await this.#session.end()
      this.#evidence.close()
    }
  }

  async #sign(time: number, ending: { readonly closed?: true }): Promise<void> {
    await this.#connected()
    const { seq, hash } = this.#end
    const checkpoint = signCheckpoint({ chain: this.#writer.chain, seq, hash, time, count: this.uncovered, ...ending }, this.#key)
    await this.#settled({ checkpoint }, () => insertCheckpoint(this.#session, this.#writer.number, checkpoint))
    this.#evidence.add(checkpoint)
    this.#evidence.write()
  }

  /** A connection that breaks while nobody waits for it is told at once: what comes back may be another database. */
  #watched(session: Session): Session {
    session.onLost = () => {
      if (this.#work === 0) this.#options.onUnsettled?.(new Error('the connection to the database broke'))
    }
    return session
  }

  async #working<T>(work: () => Promise<T>): Promise<T> {
    this.#work += 1
    try {
      return await work()
    } finally {
      this.#work -= 1
    }
  }

  /** Makes sure of a connection to a log that is as we left it. Nothing was sent when it rejects. */
  async #connected(): Promise<void> {
    if (this.#ended !== undefined) throw this.#ended
    if (this.#session.isBroken) await this.#connect({})
  }

  /** Does what was sent, and finds out what became of it. When it rejects, nothing of it was done. */
  async #settled(attempt: Attempt, send: () => Promise<unknown>): Promise<void> {
    try {
      await send()
      return this.#take(attempt)
    } catch (error) {
      if (await this.#wasDone(attempt, error)) return this.#take(attempt)
      throw asStoreFailure(error, this.#place.database)
    }
  }

  #take({ end, checkpoint }: Attempt): void {
    if (end !== undefined) this.#end = end
    if (checkpoint !== undefined) this.#checkpoint = checkpoint
  }

  async #wasDone(attempt: Attempt, failure: unknown): Promise<boolean> {
    if (!wasRefused(failure)) this.#options.onUnsettled?.(asStoreFailure(failure, this.#place.database))
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
      try {
        if (this.#session.isBroken) return await this.#connect(attempt)
        return this.#compare(await this.#seen(), attempt)
      } catch (error) {
        if (isFinal(error) || performance.now() > this.#giveUpAt) throw error
        this.#options.onUnsettled?.(asStoreFailure(error, this.#place.database))
      }
      await pause(pauseMs)
    }
  }

  /** A new connection, once the one before has ended. Tells whether what was attempted is there. */
  async #connect(attempt: Attempt): Promise<boolean> {
    this.#session.drop()
    try {
      const session = await openForWriting(this.#place.database)
      this.#session = this.#watched(session)
      await session.own(this.#writer.number)
      return this.#compare(await this.#seen(), attempt)
    } catch (error) {
      this.#session.drop()
      throw asStoreFailure(error, this.#place.database)
    }
  }

  async #seen(): Promise<{ seq: number; hash: string; signature: string | null }> {
    try {
      return await seenChain(this.#session, this.#writer)
    } catch (error) {
      if (isFinal(error)) this.#ended = error
      throw error
    }
  }

  /** The chain is as we know it, or as it is after what was attempted; anything else ends this writer. */
  #compare(seen: { seq: number; hash: string; signature: string | null }, { end, checkpoint }: Attempt): boolean {
    const isAt = (place: { seq: number; hash: string } | undefined): boolean => place?.seq === seen.seq && place.hash === seen.hash
    const isDone = isAt(end)
    const isSigned = checkpoint !== undefined && checkpoint.signature === seen.signature
    if ((isDone || isAt(this.#end)) && (isSigned || this.#checkpoint.signature === seen.signature)) return isDone || isSigned
    const what =
      isDone || isAt(this.#end) ? 'its last checkpoint is not there' : `it should end at record ${this.#end.seq} and ends at ${seen.seq}`
    this.#ended = wentBack(this.#writer, what)
    throw this.#ended
  }
}

function isFinal(error: unknown): error is TurnwardError {
  return error instanceof TurnwardError && error.code === 'audit.unwritable'
}
