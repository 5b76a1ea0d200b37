/**
 * The decision log as the rest of the gateway uses it: records queue here, ride to disk in group commits, and their
 * callers are told. While the log cannot be written it refuses records instead of collecting them: no record, no act.
 */
import { Worker } from 'node:worker_threads'
import type { DecisionRecord } from '@turnward/contract/decision'
import { TurnwardError } from '../core/error.ts'
import type { Logger } from '../core/logger.ts'
import { shownPlace } from '../store/postgres/connecting.ts'
import { workerFile } from '../store/worker-file.ts'
import { batchText } from './batch-text.ts'
import type { DecisionLog } from './decision-log.ts'
import type { ChainEnd } from './log-keeper.ts'
import type { LogPlace } from './log-place.ts'
import type { FromLogThread, LogRow, LogThreadData, ToLogThread } from './log-protocol.ts'
import { RecordQueue, type Batch, type QueuedRecord } from './record-queue.ts'

export interface DecisionLogOptions {
  readonly place: LogPlace
  /** A checkpoint is signed after this many records … */
  readonly checkpointRecords: number
  /** … and after this many milliseconds, when there is something new. */
  readonly checkpointMs: number
  readonly logger: Logger
  /** Called once each time the log starts failing. */
  readonly onFailure?: ((why: string) => void) | undefined
  /** How long closing waits for a disk or a database that does not answer; default 10,000 milliseconds. */
  readonly closeMs?: number | undefined
  /** How the thread is started; tests replace it to kill threads. */
  readonly spawn?: ((data: LogThreadData) => Worker) | undefined
}

/** The decision log with what telemetry reads. */
export interface OpenDecisionLog extends DecisionLog {
  /** Records accepted and not yet on disk. */
  pending(): number
}

/** The decision log as its only writer has it. */
export interface WrittenLog extends OpenDecisionLog {
  /** Number of this writer among those of the log; 0 in a folder, which has one. */
  readonly writer: number
  /** As `appendDurably`, for a record whose text another process has made. */
  appendRowDurably(row: LogRow): Promise<void>
  /** As `append`, for a record whose text another process has made. */
  appendRow(row: LogRow): void
}

/** How long a record may wait that nobody waits for. */
const relaxedDelayMs = 50
const probeMs = 250
/** Turns of the event loop that a commit waits at most for others to join it. */
const mostTurns = 8
/** A commit that takes longer makes everything behind it fail. Its own records wait: whether they are written is not known. */
const stallMs = 1000
const defaultCloseMs = 10_000

/**
 * Opens a log: the one of a data folder as its only writer, whose chain goes on; the one in a database as one more writer,
 * with a chain of its own. Rejects with `audit.unwritable` when another process holds it or when it cannot be used.
 */
export async function openDecisionLog(options: DecisionLogOptions): Promise<WrittenLog> {
  const writer = new LogWriter(options)
  await writer.open()
  return writer
}

class LogWriter implements WrittenLog {
  readonly #options: DecisionLogOptions
  readonly #queue = new RecordQueue()
  #thread: Worker | undefined
  #opening: PromiseWithResolvers<void> | undefined = Promise.withResolvers<void>()
  #ended: PromiseWithResolvers<string | undefined> | undefined
  #failing: string | undefined
  #closed = false
  /** The last record known to be on disk. */
  #end: ChainEnd | undefined
  #inFlight: Batch | undefined
  /** Sent to a thread that died before it answered: the next thread finds out whether it was written. */
  #unknown: Batch | undefined
  /** The commit in flight takes too long; its answer ends the failure. */
  #stalled = false
  #probing = false
  #closing = false
  #due = false
  #scheduled = false
  #turnsLeft = 0
  #seenWaiting = 0
  #relaxedTimer: NodeJS.Timeout | undefined
  #stallTimer: NodeJS.Timeout | undefined
  #probeTimer: NodeJS.Timeout | undefined

  constructor(options: DecisionLogOptions) {
    this.#options = options
  }

  open(): Promise<void> {
    this.#start()
    return this.#opening?.promise ?? Promise.resolve()
  }

  appendDurably(record: DecisionRecord): Promise<void> {
    return this.appendRowDurably(toRow(record))
  }

  append(record: DecisionRecord): void {
    this.appendRow(toRow(record))
  }

  appendRowDurably(row: LogRow): Promise<void> {
    return new Promise((resolve, reject) => {
      const error = this.#refusal() ?? this.#queue.add(row, { resolve, reject })
      if (error !== undefined) return reject(error)
      this.#flushSoon()
    })
  }

  appendRow(row: LogRow): void {
    const error = this.#refusal() ?? this.#queue.add(row, undefined)
    if (error !== undefined) throw error
    this.#relaxedTimer ??= setTimeout(() => {
      this.#relaxedTimer = undefined
      this.#due = true
      this.#flush()
    }, relaxedDelayMs)
  }

  get writer(): number {
    return this.#end?.writer ?? 0
  }

  health(): string | undefined {
    return this.#closed ? 'the decision log is closed' : this.#failing
  }

  pending(): number {
    return this.#queue.size + (this.#inFlight?.records.length ?? 0) + (this.#unknown?.records.length ?? 0)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#relaxedTimer)
    this.#due = true
    this.#ended = Promise.withResolvers()
    this.#flush()
    this.#endIfIdle()
    const why = await this.#inTime(this.#ended.promise)
    clearInterval(this.#probeTimer)
    clearTimeout(this.#stallTimer)
    const lost = this.pending()
    this.#reject(
      [...this.#queue.takeWaiting(), ...(this.#inFlight?.records ?? []), ...(this.#unknown?.records ?? [])],
      'the decision log was closed',
    )
    if (lost > 0 || why !== undefined) this.#options.logger.error({ lost, why }, 'the decision log did not close cleanly')
  }

  /** The answer; or, when there is none for long, that there is none, and then there is no thread any more either. */
  async #inTime(answer: Promise<string | undefined>): Promise<string | undefined> {
    const { closeMs = defaultCloseMs } = this.#options
    const late = Promise.withResolvers<'late'>()
    const timer = setTimeout(() => late.resolve('late'), closeMs)
    const why = await Promise.race([answer, late.promise])
    clearTimeout(timer)
    if (why !== 'late') return why
    await this.#thread?.terminate()
    return `it did not answer within ${closeMs} ms`
  }

  #refusal(): TurnwardError | undefined {
    const why = this.health()
    return why === undefined ? undefined : new TurnwardError('audit.unwritable', { why, retryAfterSeconds: 1 })
  }

  /**
   * At the end of a turn of the event loop that brought nobody new to wait, or of a few that did: what all sockets that
   * are ready ask for shares one commit, because a commit costs the same for one record and for many. Without other
   * work a turn takes microseconds, and nothing waits for a timer.
   */
  #flushSoon(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#turnsLeft = mostTurns
    this.#seenWaiting = this.#queue.waiting
    setImmediate(this.#onTurn)
  }

  #onTurn = (): void => {
    const { waiting } = this.#queue
    if (waiting > this.#seenWaiting && this.#turnsLeft > 0 && this.#inFlight === undefined) {
      this.#seenWaiting = waiting
      this.#turnsLeft -= 1
      setImmediate(this.#onTurn)
      return
    }
    this.#scheduled = false
    this.#next()
  }

  #flush(): void {
    if (this.#thread === undefined || this.#failing !== undefined || this.#inFlight !== undefined || this.#opening !== undefined) return
    if (this.#queue.waiting === 0 && !this.#due) return
    const batch = this.#queue.take()
    this.#due = this.#closed || (this.#due && this.#queue.size > 0)
    if (batch.records.length === 0) return
    this.#inFlight = batch
    this.#thread.ref()
    this.#stallTimer = setTimeout(() => {
      this.#stalled = true
      this.#fail(`a commit is taking longer than ${stallMs} ms`)
    }, stallMs)
    this.#send({ type: 'commit', text: batchText(batch.records.map((record) => record.row)) })
  }

  #onMessage(message: FromLogThread): void {
    switch (message.type) {
      case 'ready':
        return this.#onReady(message.end, message.warning)
      case 'refused':
        return this.#onRefused(message.subject ?? subjectOf(this.#options.place), message.why, message.fix)
      case 'committed':
        this.#end = message.end
        for (const record of this.#answered()) record.waiter?.resolve()
        if (this.#stalled) this.#recover()
        // Those who were just answered act first; what they append joins what waits.
        return this.#queue.size > 0 ? this.#flushSoon() : this.#endIfIdle()
      case 'unsettled':
        // The answer to what is in flight ends the failure; without such a commit a probe does.
        this.#stalled = this.#inFlight !== undefined
        return this.#fail(message.why)
      case 'failed': {
        const batch = this.#answered()
        this.#stalled = false
        this.#fail(message.why)
        this.#giveBack(batch, message.why)
        return this.#next()
      }
      case 'checkpoint_failed':
        return this.#fail(`a checkpoint could not be written: ${message.why}`)
      case 'probed':
        this.#probing = false
        if (message.why !== undefined) this.#failing = message.why
        else if (this.#failing !== undefined && !this.#stalled) this.#recover()
        return this.#next()
      case 'closed':
        this.#ended?.resolve(message.why)
    }
  }

  #onReady(end: ChainEnd, warning: string | undefined): void {
    if (warning !== undefined) this.#options.logger.error({}, warning)
    const unknown = this.#unknown
    this.#unknown = undefined
    if (unknown !== undefined) {
      if (end.seq > (this.#end?.seq ?? 0)) for (const record of unknown.records) record.waiter?.resolve()
      else this.#giveBack(unknown.records, 'the thread of the decision log stopped')
    }
    this.#end = end
    this.#opening?.resolve()
    this.#opening = undefined
    this.#thread?.unref()
    if (this.#failing !== undefined) this.#recover()
    this.#next()
  }

  #onRefused(subject: string, why: string, fix: string | undefined): void {
    this.#opening?.reject(new TurnwardError('audit.unwritable', { subject, why, fix }))
    if (this.#failing === undefined) return
    this.#failing = `${subject}: ${why}`
    // Nobody can look now whether these were written. Their callers must not act and must not wait for ever:
    // such a record may later be found in the log as a decision without an outcome.
    this.#reject(this.#unknown?.records ?? [], why)
  }

  /** The thread died. What it was writing is settled by the next one, which can look. */
  #onExit(thread: Worker): void {
    if (this.#thread !== thread) return
    this.#thread = undefined
    clearTimeout(this.#stallTimer)
    if (this.#opening !== undefined) {
      this.#opening.reject(new TurnwardError('audit.unwritable', { why: 'the thread of the decision log did not start' }))
      return
    }
    this.#unknown ??= this.#inFlight
    this.#inFlight = undefined
    this.#stalled = false
    this.#probing = false
    // On closing this is the end, and nothing may start the next thread.
    if (this.#ended !== undefined) return this.#ended.resolve('the thread stopped')
    if (this.#failing === undefined) this.#fail('the thread of the decision log stopped')
  }

  #start(): void {
    const { place, checkpointRecords, checkpointMs } = this.#options
    const thread = (this.#options.spawn ?? spawnThread)({ place, resume: this.#end, checkpointRecords, checkpointMs })
    this.#thread = thread
    thread.on('message', (message: FromLogThread) => this.#onMessage(message))
    thread.on('error', (error) => this.#options.logger.error({ error: error.message }, 'the thread of the decision log failed'))
    thread.on('exit', () => this.#onExit(thread))
  }

  #send(message: ToLogThread): void {
    this.#thread?.postMessage(message)
  }

  /** The records of the batch that was just answered. */
  #answered(): readonly QueuedRecord[] {
    clearTimeout(this.#stallTimer)
    const batch = this.#inFlight
    this.#inFlight = undefined
    this.#thread?.unref()
    return batch?.records ?? []
  }

  #fail(why: string): void {
    const first = this.#failing === undefined
    this.#failing = why
    this.#reject(this.#queue.takeWaiting(), why)
    if (!first) return
    this.#options.logger.error({ why }, 'the decision log cannot be written: governed calls stop until it can')
    this.#options.onFailure?.(why)
    this.#probeTimer = setInterval(() => this.#probe(), probeMs)
    this.#probeTimer.unref()
  }

  #probe(): void {
    if (this.#thread === undefined) this.#start()
    else if (this.#inFlight === undefined && !this.#probing) {
      this.#probing = true
      this.#send({ type: 'probe' })
    }
  }

  #recover(): void {
    clearInterval(this.#probeTimer)
    this.#failing = undefined
    this.#stalled = false
    this.#due = this.#queue.size > 0
    this.#options.logger.info({}, 'the decision log can be written again')
  }

  /** Durable records of a batch that was not written are refused for good; the others wait for recovery. */
  #giveBack(records: readonly QueuedRecord[], why: string): void {
    this.#reject(
      records.filter((record) => record.waiter !== undefined),
      why,
    )
    this.#queue.putBack(records.filter((record) => record.waiter === undefined))
  }

  #reject(records: readonly QueuedRecord[], why: string): void {
    for (const record of records) record.waiter?.reject(new TurnwardError('audit.unwritable', { why, retryAfterSeconds: 1 }))
  }

  #next(): void {
    this.#flush()
    this.#endIfIdle()
  }

  #endIfIdle(): void {
    if (this.#ended === undefined || this.#inFlight !== undefined) return
    if (this.#failing === undefined && this.#queue.size > 0) return
    if (this.#thread === undefined) return this.#ended.resolve(this.#failing)
    if (this.#closing) return
    this.#closing = true
    this.#thread.ref()
    this.#send({ type: 'close' })
  }
}

function subjectOf(place: LogPlace): string {
  return place.kind === 'sqlite' ? place.dataDir : shownPlace(place.database)
}

/** A record as it goes to disk. */
export function toRow(record: DecisionRecord): LogRow {
  return { json: JSON.stringify(record), session: record.session ?? null, turn: record.turn ?? null }
}

function spawnThread(data: LogThreadData): Worker {
  return new Worker(workerFile(import.meta.url, 'log-worker'), {
    workerData: data,
    name: 'turnward-decision-log',
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: 6 },
  })
}
