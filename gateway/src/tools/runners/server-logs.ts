/**
 * What started servers write to stderr, kept for the administrator in files of the data folder: the last of each server, from
 * before its last end too. A server is untrusted: lines are cut and cleaned before they come here, files are bounded, and
 * whoever writes faster than can be kept loses lines and is told of.
 */
import { appendFile, mkdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { asTurnwardError } from '../../core/error.ts'
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'

/** One line of such a file, as JSON. */
export interface ServerLogLine {
  /** Unix milliseconds. */
  readonly at: number
  /** Process id of the child; absent for what the gateway says. */
  readonly pid?: number
  /** What the child wrote. */
  readonly line?: string
  /** What the gateway says: that it started, ended, could not be started, or lost lines. */
  readonly event?: string
}

export interface ServerLogsOptions {
  readonly folder: string
  /** Which of the processes of a gateway writes. */
  readonly worker: number
  readonly clock: Clock
  readonly logger: Logger
}

/** Bytes of a file after which a new one is begun. The one before it is kept. */
const fileBytes = 512 * 1024
/** Lines of one server in a window; the rest are counted. */
const linesPerWindow = 1000
const windowMs = 10_000
const linesAtOnce = 50

interface Writing {
  readonly pending: string[]
  windowStart: number
  written: number
  dropped: number
  /** Of the current file; undefined before it was looked at. */
  bytes: number | undefined
  running: Promise<void> | undefined
}

export class ServerLogs {
  readonly #options: ServerLogsOptions
  readonly #writing = new Map<string, Writing>()
  #failed = false

  constructor(options: ServerLogsOptions) {
    this.#options = options
  }

  /** Keeps one line. Returns at once; never throws. */
  write(server: string, line: Omit<ServerLogLine, 'at'>): void {
    const now = this.#options.clock.now()
    const own = this.#of(server, now)
    if (now - own.windowStart >= windowMs || now < own.windowStart) {
      this.#tellDropped(own, now)
      own.windowStart = now
      own.written = 0
    }
    if (own.written >= linesPerWindow && line.event === undefined) {
      own.dropped += 1
      return
    }
    own.written += 1
    if (line.event !== undefined) this.#tellDropped(own, now)
    own.pending.push(`${JSON.stringify({ at: now, ...line })}\n`)
    own.running ??= this.#flush(server, own)
  }

  /** Resolves when everything is written. */
  async close(): Promise<void> {
    await Promise.all([...this.#writing.values()].flatMap(({ running }) => running ?? []))
  }

  #of(server: string, now: number): Writing {
    const known = this.#writing.get(server)
    if (known !== undefined) return known
    const made: Writing = { pending: [], windowStart: now, written: 0, dropped: 0, bytes: undefined, running: undefined }
    this.#writing.set(server, made)
    return made
  }

  #tellDropped(own: Writing, at: number): void {
    if (own.dropped > 0) own.pending.push(`${JSON.stringify({ at, event: `${own.dropped} lines were dropped` })}\n`)
    own.dropped = 0
  }

  async #flush(server: string, own: Writing): Promise<void> {
    const folder = logFolder(this.#options.folder, server)
    const { current, before } = logFiles(folder, this.#options.worker)
    try {
      while (own.pending.length > 0) {
        const text = own.pending.splice(0, linesAtOnce).join('')
        if (own.bytes === undefined) {
          await mkdir(folder, { recursive: true, mode: 0o700 })
          own.bytes = await stat(current).then(
            ({ size }) => size,
            () => 0,
          )
        }
        if (own.bytes > 0 && own.bytes + text.length > fileBytes) {
          await rename(current, before)
          own.bytes = 0
        }
        await appendFile(current, text, { mode: 0o600 })
        own.bytes += Buffer.byteLength(text)
      }
    } catch (error) {
      own.pending.length = 0
      own.bytes = undefined
      if (!this.#failed) this.#options.logger.warn({ server, code: asTurnwardError(error).code }, 'lines of an MCP server cannot be kept')
      this.#failed = true
    } finally {
      own.running = undefined
    }
  }
}

/** The folder with what is kept of one server. */
export function logFolder(folder: string, server: string): string {
  return join(folder, server)
}

/** The file that is written to, and the one that was full before it. */
export function logFiles(folder: string, worker: number): { readonly current: string; readonly before: string } {
  return { current: join(folder, `${worker}.jsonl`), before: join(folder, `${worker}.before.jsonl`) }
}
