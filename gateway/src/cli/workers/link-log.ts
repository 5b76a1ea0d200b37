/**
 * The decision log as a worker writes it: what a turn of the event loop decides leaves as one batch for the process that has
 * the log's one writer, and nobody acts before that one says that it is on disk. What it refuses is refused here.
 */
import type { DecisionRecord } from '@turnward/contract/decision'
import { batchText, rowsOf } from '../../audit/batch-text.ts'
import type { LogRow } from '../../audit/log-protocol.ts'
import { toRow, type OpenDecisionLog, type WrittenLog } from '../../audit/log-writer.ts'
import { RecordQueue, type QueuedRecord } from '../../audit/record-queue.ts'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import type { Link, LinkHandler } from './link.ts'

/** How long a record may wait that nobody waits for, and how long one waits that was refused. */
const relaxedDelayMs = 50
const retryMs = 250
/** An owner that takes longer to say anything counts as failing, until it does. */
const stallMs = 2000
/** Records on their way at most; what is beyond that waits here, where the queue is bounded. */
const mostInFlight = 10_000

/** What became of the records of a batch that were not written: where they stood, and why. */
type Refusals = readonly (readonly [number, code: string, why: string | null])[]

export class LinkLog implements OpenDecisionLog {
  readonly #link: () => Link
  readonly #queue = new RecordQueue()
  readonly #timer: NodeJS.Timeout
  /** When each batch left that is on its way. */
  readonly #sent = new Map<object, number>()
  #inFlight = 0
  #ownerFails: string | undefined
  #isStalled = false
  #isClosed = false
  #isScheduled = false
  #relaxed: NodeJS.Timeout | undefined
  #emptied: PromiseWithResolvers<void> | undefined

  constructor(link: () => Link) {
    this.#link = link
    this.#timer = setInterval(() => this.#look(), retryMs)
    this.#timer.unref()
  }

  appendDurably(record: DecisionRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      const error = this.#refusal() ?? this.#queue.add(toRow(record), { resolve, reject })
      if (error !== undefined) return reject(error)
      if (this.#isScheduled) return
      this.#isScheduled = true
      setImmediate(this.#flush)
    })
  }

  append(record: DecisionRecord): void {
    const error = this.#refusal() ?? this.#queue.add(toRow(record), undefined)
    if (error !== undefined) throw error
    this.#flushWithin(relaxedDelayMs)
  }

  health(): string | undefined {
    if (this.#isClosed) return 'the decision log is closed'
    return this.#isStalled ? 'the process that writes the decision log does not answer' : this.#ownerFails
  }

  /** The owner says whether the log can be written. */
  ownerSays(why: string | undefined): void {
    this.#ownerFails = why
    if (why === undefined) this.#flush()
  }

  pending(): number {
    return this.#queue.size + this.#inFlight
  }

  /** Resolves when everything is with the owner or refused. The owner writes the last checkpoint. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#emptied = Promise.withResolvers()
    this.#flush()
    await this.#emptied.promise
    clearInterval(this.#timer)
    clearTimeout(this.#relaxed)
  }

  #refusal(): TurnwardError | undefined {
    const why = this.health()
    return why === undefined ? undefined : new TurnwardError('audit.unwritable', { why, retryAfterSeconds: 1 })
  }

  #flushWithin(delayMs: number): void {
    this.#relaxed ??= setTimeout(() => {
      this.#relaxed = undefined
      this.#flush()
    }, delayMs)
  }

  #flush = (): void => {
    this.#isScheduled = false
    while (this.#queue.size > 0 && this.#inFlight < mostInFlight) this.#send(this.#queue.take().records)
    if (this.#inFlight === 0 && this.#queue.size === 0) this.#emptied?.resolve()
  }

  #send(records: readonly QueuedRecord[]): void {
    const batch = {}
    this.#sent.set(batch, performance.now())
    this.#inFlight += records.length
    const isAwaited = records.map(({ waiter }) => (waiter === undefined ? '0' : '1')).join('')
    this.#link()
      .ask('log', { head: isAwaited, texts: [batchText(records.map(({ row }) => row))] })
      .then(({ head }) => this.#settle(records, head as Refusals))
      .catch((error: unknown) => this.#settle(records, refusedAll(records, error)))
      .finally(() => {
        this.#sent.delete(batch)
        this.#inFlight -= records.length
        this.#isStalled = false
        if (this.#queue.size === 0 || this.#isClosed) this.#flush()
      })
  }

  #settle(records: readonly QueuedRecord[], refusals: Refusals): void {
    const refused = new Map(refusals.map(([at, code, why]) => [at, { code, why }]))
    const kept: QueuedRecord[] = []
    for (const [at, record] of records.entries()) {
      const refusal = refused.get(at)
      if (refusal === undefined) record.waiter?.resolve()
      else if (record.waiter !== undefined) record.waiter.reject(refusalFrom(refusal.code, refusal.why))
      // Nobody can be told, so it is kept for when the log can be written; at the end there is no such time.
      else if (!this.#isClosed) kept.push(record)
    }
    if (kept.length === 0) return
    this.#queue.putBack(kept)
    this.#flushWithin(retryMs)
  }

  #look(): void {
    const [oldest] = this.#sent.values()
    this.#isStalled = oldest !== undefined && performance.now() - oldest > stallMs
  }
}

function refusalFrom(code: string, why: string | null): TurnwardError {
  return new TurnwardError(code === 'audit.backlog' ? code : 'audit.unwritable', { why: why ?? undefined, retryAfterSeconds: 1 })
}

function refusedAll(records: readonly QueuedRecord[], thrown: unknown): Refusals {
  const why = asTurnwardError(thrown).why ?? null
  return records.map((_record, at) => [at, 'audit.unwritable', why])
}

/** Takes the batches of workers. */
export function logHandlers(log: WrittenLog): Readonly<Record<string, LinkHandler>> {
  return {
    async log(head, [text = '']) {
      const isAwaited = String(head)
      const refusals: (readonly [number, string, string | null])[] = []
      const refused = (at: number, thrown: unknown): void => {
        const { code, why } = asTurnwardError(thrown)
        refusals.push([at, code, why ?? null])
      }
      await Promise.all(
        rowsOf(text).map((row, at) => append(log, row, isAwaited[at] === '1').catch((error: unknown) => refused(at, error))),
      )
      return { head: refusals }
    },
  }
}

async function append(log: WrittenLog, row: LogRow, isAwaited: boolean): Promise<void> {
  return isAwaited ? log.appendRowDurably(row) : log.appendRow(row)
}
