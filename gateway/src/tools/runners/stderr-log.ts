/**
 * What a server writes to stderr, as log lines. A server is untrusted: its lines are cut, cleaned of control
 * characters and limited in rate, so that it can neither fill the disk nor forge lines of ours.
 */
import type { Readable } from 'node:stream'
import type { Clock } from '../../core/clock.ts'
import { systemClock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'

export interface StderrLimits {
  /** Longest line kept, in characters. */
  readonly lineLength: number
  /** Lines logged in one window; the rest are counted. */
  readonly linesPerWindow: number
  readonly windowMs: number
}

const defaults: StderrLimits = { lineLength: 2000, linesPerWindow: 50, windowMs: 10_000 }
// C0, DEL, C1 and the bidirectional controls that make a line read differently from what it is.
const controls = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/**
 * Logs every line at `info` until the stream ends. Always drains, so the server never blocks on stderr. `keep` gets every
 * line, cut and cleaned.
 */
export function logStderr(
  server: string,
  stream: Readable,
  logger: Logger,
  keep: (line: string) => void = () => {},
  limits: StderrLimits = defaults,
  clock: Clock = systemClock,
): void {
  let rest = ''
  let cut = false
  let windowStart = clock.monotonic()
  let logged = 0
  let dropped = 0
  const reportDropped = () => {
    if (dropped > 0) logger.warn({ server, dropped }, 'lines of the server on stderr were dropped')
    dropped = 0
  }
  const line = (text: string, truncated: boolean) => {
    const now = clock.monotonic()
    if (now - windowStart >= limits.windowMs) {
      reportDropped()
      windowStart = now
      logged = 0
    }
    if (text.trim() === '') return
    const cleaned = text.replace(controls, '\ufffd')
    keep(cleaned)
    if (logged >= limits.linesPerWindow) {
      dropped += 1
      return
    }
    logged += 1
    logger.info({ server, ...(truncated ? { truncated } : {}), line: cleaned }, 'server stderr')
  }
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    let from = 0
    for (let at = chunk.indexOf('\n'); at !== -1; at = chunk.indexOf('\n', from)) {
      add(chunk.slice(from, at))
      line(rest.endsWith('\r') ? rest.slice(0, -1) : rest, cut)
      rest = ''
      cut = false
      from = at + 1
    }
    add(chunk.slice(from))
  })
  stream.on('end', () => {
    line(rest, cut)
    reportDropped()
  })
  stream.on('error', () => {})

  function add(text: string): void {
    const room = limits.lineLength - rest.length
    if (text.length > room) cut = true
    rest += text.slice(0, Math.max(0, room))
  }
}
