/**
 * Values on a Valkey or Redis server. Every call is answered within the time limit: what the connection loses is sent again
 * as long as there is time, a write with the version it had, so that it is made once.
 */
import type { Redis } from 'ioredis'
import { TurnwardError } from '../../core/error.ts'
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { MaybePromise } from '../state-store.ts'
import type { Epoch, PlaceKey, Reading, VersionedPlace, VersionedWrite, WriteResult } from '../versioned/versioned-place.ts'
import type { ValkeyConnection } from './connecting.ts'
import { Epochs, epochText, type NotedMarks } from './epochs.ts'
import { describeValkeyFailure, isRefusedByServer } from './failures.ts'
import { anyVersion, noteScript, writeScript } from './scripts.ts'
import { hasLostSince, noteOf, readServerReport } from './server-report.ts'
import { conflictOf, readStored } from './stored-value.ts'
import { Topics } from './topics.ts'

export interface ValkeyPlaceOptions {
  readonly connection: ValkeyConnection
  /** A second connection, for listening; it is opened when somebody listens. */
  readonly makeListening: () => Promise<ValkeyConnection>
  /** What every key and topic begins with. */
  readonly prefix: string
  /** Whether the connection is to a cluster. */
  readonly isSpread: boolean
  readonly noted: NotedMarks | undefined
  readonly timeoutMs: number
  readonly clock: Clock
  readonly logger: Logger
  /** Milliseconds the server's clock is ahead of ours. */
  readonly ahead: number
}

/** Largest text that is kept, in bytes. */
export const mostValueBytes = 4 * 1024 * 1024
const pauseMs = 20
const watchMs = 1000
const lookedMs = 10_000
const closeEnoughMs = 250
/** How often a read may find that the place was emptied again. */
const mostEpochs = 4

export class ValkeyPlace implements VersionedPlace {
  readonly #options: ValkeyPlaceOptions
  readonly clock: Clock
  #ahead: number
  readonly #epochs: Epochs
  readonly #topics: Topics
  readonly #watch: NodeJS.Timeout
  #problem: string | undefined
  /** The last thing that went wrong with the connection; it says why commands fail. */
  #lastError: unknown
  #openingSince: number | undefined
  /** How often the connection was lost, and how often when the server was last asked whether it has lost anything. */
  #closings = 0
  #asked = -1
  #asking: Promise<void> | undefined
  #isClosed = false
  #isPinging = false

  constructor(options: ValkeyPlaceOptions) {
    this.#options = options
    const { clock } = options
    this.#ahead = options.ahead
    this.clock = { now: () => clock.now() + this.#ahead, monotonic: () => clock.monotonic() }
    const { connection, prefix, isSpread, noted, logger } = options
    this.#epochs = new Epochs({
      prefix,
      isSpread,
      noted,
      clock: this.clock,
      logger,
      read: (mark) => this.#send(() => (connection as Redis).get(mark)),
      setOnce: async (mark, text) => {
        await this.#send(() => (connection as Redis).set(mark, text, 'NX'))
      },
    })
    this.#topics = new Topics(options)
    connection.on('error', (error: unknown) => {
      this.#lastError = error
    })
    connection.on('close', () => {
      this.#closings += 1
    })
    this.#watch = setInterval(() => this.#look(), watchMs)
    this.#watch.unref()
  }

  async read(slot: string, keys: readonly PlaceKey[]): Promise<Reading> {
    const mark = this.#epochs.markOf(slot)
    for (let attempt = 0; attempt < mostEpochs; attempt += 1) {
      const epoch = await this.#epochOf(mark)
      const names = [mark, ...keys.map((key) => this.#nameOf(slot, epoch.id, key))]
      const [marked = null, ...held] = await this.#send(() => (this.#options.connection as Redis).mget(names))
      if ((marked ?? '') === epoch.id) return { values: held.map(readStored), epoch }
      if (this.#epochs.see(mark, marked) === undefined) await this.#inTime(() => this.#epochs.begin(mark))
    }
    throw this.#failed('it is emptied again and again')
  }

  /** The epoch as this process knows it, or else as it is. */
  async #epochOf(mark: string): Promise<Epoch> {
    const known = this.#epochs.known(mark)
    if (known !== undefined) return known
    const held = await this.#send(() => (this.#options.connection as Redis).get(mark))
    if (held !== null) await this.#inTime(() => this.#epochs.join(mark))
    return this.#epochs.see(mark, held) ?? this.#inTime(() => this.#epochs.begin(mark))
  }

  async write(slot: string, write: VersionedWrite): Promise<WriteResult> {
    const { version, epoch, changes, checks, reads, announce } = write
    const { prefix, connection } = this.#options
    const mark = this.#epochs.markOf(slot)
    const names = [mark, ...[...changes, ...checks, ...reads].map((key) => this.#nameOf(slot, epoch, key))]
    const topics = announce.map((topic) => `${prefix}${topic}`)
    const args: (string | number)[] = [version, changes.length, checks.length, topics.length, epoch, ...topics]
    for (const { namespace, expected = anyVersion, livesMs, text = '' } of changes) {
      if (text.length > mostValueBytes / 3 && Buffer.byteLength(text) > mostValueBytes)
        throw new TurnwardError('state.too_large', { subject: namespace, why: `it has more than ${mostValueBytes} bytes` })
      args.push(expected, Math.max(1, Math.ceil(livesMs)), text)
    }
    for (const { expected } of checks) args.push(expected)
    let sent = 0
    const [made, held] = await this.#send(() => {
      sent += 1
      return runScript(connection as Redis, names, args)
    })
    this.#isWell()
    if (made === 2)
      return { kind: 'lost', epoch: this.#epochs.see(mark, held[0] ?? null) ?? (await this.#inTime(() => this.#epochs.begin(mark))) }
    if (made === 1) return { kind: 'ok', reads: held.map(readStored) }
    return conflictOf(write, held, sent > 1)
  }

  epochOf(slot: string): MaybePromise<Epoch> {
    const mark = this.#epochs.markOf(slot)
    return this.#epochs.known(mark) ?? this.#epochOf(mark)
  }

  lastLoss(): number | undefined {
    return this.#epochs.lastLoss
  }

  listen(topic: string, listener: () => void): () => void {
    return this.#topics.listen(topic, listener)
  }

  health(): string | undefined {
    return this.#problem
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#watch)
    this.#options.connection.disconnect()
    await this.#topics.close()
  }

  #nameOf(slot: string, epoch: string, { namespace, key }: PlaceKey): string {
    return `${this.#epochs.keysOf(slot, epoch)}${namespace}:${key}`
  }

  /** Something that asks others as well. */
  async #inTime<T>(run: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<typeof tooLate>((resolve) => {
      timer = setTimeout(() => resolve(tooLate), this.#options.timeoutMs)
    })
    try {
      const done = await Promise.race([run(), late])
      if (done !== tooLate) return done as T
    } finally {
      clearTimeout(timer)
    }
    throw this.#failed('the store does not say in time whether it was emptied')
  }

  /** Whoever is behind a new connection may not have what the last one had: that is asked before anything else. */
  async #ask(): Promise<void> {
    while (this.#asked !== this.#closings) await this.#askNow()
  }

  #askNow(): Promise<void> {
    const closings = this.#closings
    this.#asking ??= this.#takeReport()
      .then(() => {
        this.#asked = closings
      })
      .finally(() => {
        this.#asking = undefined
      })
    return this.#asking
  }

  /** Compares what the server says of itself with what was noted of it, and begins another epoch when something was lost. */
  async #takeReport(): Promise<void> {
    const { prefix, isSpread, noted } = this.#options
    // Nobody can tell which server of a cluster has what.
    if (isSpread || noted === undefined) return
    const connection = this.#options.connection as Redis
    const key = `${prefix}server`
    const mark = `${prefix}epoch`
    const [info, note] = await Promise.all([connection.info(), connection.get(key)])
    const report = readServerReport(info)
    const next = noteOf(report)
    if (note === next) return
    const lost = note !== null && hasLostSince(note, report) ? [epochText(this.clock.now())] : []
    const isNoted = await connection.eval(noteScript, 2, key, mark, note ?? '', next, ...lost)
    if (isNoted === 1 && lost[0] !== undefined) this.#epochs.lost(mark, lost[0])
  }

  /** Runs a command until it is answered or the time is over. */
  async #send<T>(command: () => Promise<T>): Promise<T> {
    const { clock, timeoutMs } = this.#options
    const deadline = clock.monotonic() + timeoutMs
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<typeof tooLate>((resolve) => {
      timer = setTimeout(() => resolve(tooLate), timeoutMs)
    })
    try {
      for (;;) {
        try {
          const answer = await Promise.race([this.#asked === this.#closings ? command() : this.#ask().then(command), late])
          if (answer === tooLate) break
          return answer as T
        } catch (error) {
          if (isRefusedByServer(error) || this.#isClosed) throw this.#failed(describeValkeyFailure(error))
          if (clock.monotonic() + pauseMs >= deadline) break
          await Promise.race([pause(), late])
        }
      }
    } finally {
      clearTimeout(timer)
    }
    throw this.#failed(this.#whySilent())
  }

  /** An open connection that does not answer is no use: another may. Also frees what waits in it. */
  #whySilent(): string {
    const { connection } = this.#options
    if (connection.status !== 'ready')
      return this.#lastError === undefined ? 'the connection is lost' : describeValkeyFailure(this.#lastError)
    this.#lastError = undefined
    connection.disconnect(true)
    return 'the server does not answer in time'
  }

  #failed(why: string): TurnwardError {
    if (!this.#isClosed && this.#problem !== why)
      this.#options.logger.error({ code: 'state.unavailable', why }, 'the shared state cannot be used')
    this.#problem = why
    return new TurnwardError('state.unavailable', { why, retryAfterSeconds: 1 })
  }

  #isWell(): void {
    if (this.#problem !== undefined) this.#options.logger.info({}, 'the shared state can be used again')
    this.#problem = undefined
  }

  /** Notices what is wrong while nobody calls, and that it is over; and gives up a connection that never becomes ready. */
  #look(): void {
    const { connection, clock, timeoutMs, prefix } = this.#options
    const { status } = connection
    this.#openingSince =
      status === 'ready' || status === 'reconnecting' || status === 'close' ? undefined : (this.#openingSince ?? clock.monotonic())
    if (this.#openingSince !== undefined && clock.monotonic() - this.#openingSince > 2 * timeoutMs + watchMs) {
      this.#openingSince = undefined
      connection.disconnect(true)
    }
    if (this.#isPinging) return
    this.#isPinging = true
    this.#send(() => serverAhead(connection, clock))
      .then((ahead) => {
        this.#ahead = ahead
        // A server that answers need not be one that takes anything: one that became a replica, or has no memory left.
        return this.#send(() => (connection as Redis).set(`${prefix}looked`, '', 'PX', lookedMs))
      })
      .then(() => this.#send(() => this.#askNow()))
      .then(
        () => this.#isWell(),
        () => {},
      )
      .finally(() => {
        this.#isPinging = false
      })
  }
}

/** Milliseconds the server's clock is ahead of ours, give or take the way there. */
export async function serverAhead(connection: ValkeyConnection, clock: Clock): Promise<number> {
  const sent = clock.now()
  const [seconds, microseconds] = await (connection as Redis).time()
  const ahead = Math.round(Number(seconds) * 1000 + Number(microseconds) / 1000 - (sent + clock.now()) / 2)
  // Less is the way there, not the clock.
  return Math.abs(ahead) < closeEnoughMs ? 0 : ahead
}

const tooLate = Symbol('too late')

/** Short, and of a different length each time, so that those who wait do not come at one moment. */
function pause(): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(undefined), pauseMs * (0.5 + Math.random()))
  })
}

/** What became of it, and what is there. */
type Answer = readonly [number, readonly (string | null)[]]

async function runScript(connection: Redis, names: readonly string[], args: readonly (string | number)[]): Promise<Answer> {
  try {
    return (await connection.evalsha(writeScript.sha, names.length, ...names, ...args)) as Answer
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
    return (await connection.eval(writeScript.text, names.length, ...names, ...args)) as Answer
  }
}
