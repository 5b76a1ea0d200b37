/**
 * Keeps callers from waiting, one after the other, for a server that answers nobody. After a few calls that ran out of time in a
 * row the server itself is asked for a sign of life: only when it gives none, calls are refused. A slow tool, and whoever calls
 * it, closes nothing for others. While it is open the server is asked again, ever more seldom; its first answer closes it.
 */
import { TurnwardError } from '../../core/error.ts'
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'

export interface BreakerOptions {
  readonly server: string
  readonly clock: Pick<Clock, 'now'>
  readonly logger: Logger
  /** Asks the server for any answer. Rejects when there is none in time. */
  readonly probe: () => Promise<void>
}

/** Calls without an answer in a row. */
export const mostUnanswered = 3
const firstDelayMs = 5000
const longestDelayMs = 60_000

export class Breaker {
  readonly #options: BreakerOptions
  /** Of the calls that ended last, how many ran out of time in a row. */
  #unanswered = 0
  #probing = false
  #open: { readonly since: number; next: number; delayMs: number } | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: BreakerOptions) {
    this.#options = options
  }

  /** Throws `mcp.server_unavailable` while the server answers nobody. */
  check(): void {
    if (this.#open === undefined) return
    const { since, next } = this.#open
    throw new TurnwardError('mcp.server_unavailable', {
      subject: this.#options.server,
      why: `it has answered nothing since ${time(since)}; it is asked again at ${time(next)}`,
      retryAfterSeconds: Math.max(1, Math.ceil((next - this.#options.clock.now()) / 1000)),
    })
  }

  /** The server answered something. */
  answered(): void {
    this.#unanswered = 0
    if (this.#open === undefined) return
    this.#open = undefined
    clearTimeout(this.#timer)
    this.#options.logger.info({ server: this.#options.server }, 'MCP server answers again')
  }

  /** A call ran out of time. */
  ranOut(): void {
    this.#unanswered += 1
    if (this.#unanswered < mostUnanswered || this.#open !== undefined) return
    this.#probe().catch(() => {})
  }

  /** Asks nobody any more. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  async #probe(): Promise<void> {
    if (this.#probing || this.#closed) return
    this.#probing = true
    try {
      await this.#options.probe()
      this.answered()
    } catch {
      this.#refuse()
    } finally {
      this.#probing = false
    }
  }

  #refuse(): void {
    if (this.#closed) return
    const now = this.#options.clock.now()
    const delayMs = this.#open === undefined ? firstDelayMs : Math.min(2 * this.#open.delayMs, longestDelayMs)
    if (this.#open === undefined)
      this.#options.logger.warn({ server: this.#options.server }, 'MCP server answers nobody; its calls are refused until it does')
    this.#open = { since: this.#open?.since ?? now, next: now + delayMs, delayMs }
    this.#timer = setTimeout(() => {
      this.#probe().catch(() => {})
    }, delayMs)
    this.#timer.unref()
  }
}

function time(ms: number): string {
  return new Date(ms).toISOString()
}
