/** The log of the gateway: one JSON object a line, through pino. No line leaves without being scrubbed of secrets. */
import type { Writable } from 'node:stream'
import { pino } from 'pino'
import type { Logger } from '../core/logger.ts'
import { silentLogger } from '../core/logger.ts'
import { scrub, scrubText } from './scrubbing.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

export interface LoggerOptions {
  readonly level: LogLevel
  /** `stderr` unless told otherwise, so that stdout stays free for output of commands. */
  readonly destination?: 'stderr' | 'stdout' | Writable | undefined
  /** Fields on every line, such as `{ version }`. */
  readonly base?: Record<string, string | number> | undefined
}

/** A logger that writes lines with `level` (by name), `time` (ISO 8601), `msg` and the fields, scrubbed. */
export function createLogger({ level, destination = 'stderr', base = {} }: LoggerOptions): Logger {
  if (level === 'silent') return silentLogger
  const stream =
    destination === 'stderr'
      ? pino.destination({ dest: 2, sync: true })
      : destination === 'stdout'
        ? pino.destination({ dest: 1, sync: true })
        : destination
  const log = pino({ level, base, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } }, stream)
  const at = (name: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    if (log.isLevelEnabled(name)) log[name](asFields(scrub(fields)), scrubText(message))
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** Names pino owns are not overwritten by fields: a reader must be able to trust `level`, `time` and `msg`. */
function asFields(value: unknown): object {
  if (typeof value !== 'object' || value === null) return {}
  const { level, time, msg, ...fields } = value as Record<string, unknown>
  const kept = {
    ...(level === undefined ? {} : { field_level: level }),
    ...(time === undefined ? {} : { field_time: time }),
    ...(msg === undefined ? {} : { field_msg: msg }),
  }
  return { ...fields, ...kept }
}
