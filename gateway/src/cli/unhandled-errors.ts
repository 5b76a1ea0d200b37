/**
 * The net below every handler of errors. Nothing should fall into it, and what does must not take the calls of
 * everybody else with it: it is told and counted, and the process goes on.
 */
import { asTurnwardError, TurnwardError } from '../core/error.ts'
import type { Logger } from '../core/logger.ts'

export type UnhandledKind = 'rejection' | 'exception'

export interface UnhandledErrors {
  /** The gateway is open: from now on they are counted, and an exception no longer ends the process. */
  opened(count: (kind: UnhandledKind) => void): void
}

/**
 * Catches what nobody handled. A rejection is the end of one piece of work, so the process goes on. So it does after an
 * exception, once the gateway is open: Node calls that unsafe, because whatever the callback was changing may be half
 * changed. Here such callbacks belong to one connection, stream or timer, all with deadlines of their own; what is shared
 * (labels, the log's queue) is replaced whole or written by a thread of its own, and a call without its record is not
 * run. To end would hand whoever finds one such input a switch that turns the gateway off for all. Before it is open
 * nobody is served and a half-made gateway is worth nothing: there an exception ends the process.
 */
export function catchUnhandledErrors(logger: Logger): UnhandledErrors {
  let count: ((kind: UnhandledKind) => void) | undefined
  const tell = (kind: UnhandledKind, error: unknown): void => {
    logger.error({ kind, ...describe(error) }, 'an error that nobody handled; this is a fault of the gateway')
    count?.(kind)
  }
  process.on('unhandledRejection', (error) => tell('rejection', error))
  process.on('uncaughtException', (error) => {
    tell('exception', error)
    if (count === undefined) process.exit(1)
  })
  return {
    opened(counting) {
      count = counting
    },
  }
}

/** Code, type and place. The words of a foreign error may hold what it failed on, so they are left out. */
function describe(error: unknown): object {
  const { code } = asTurnwardError(error)
  if (!(error instanceof Error)) return { code, type: typeof error }
  const at = (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 12)
    .map((line) => line.trim())
  return { code, type: error.name, ...(error instanceof TurnwardError ? { what: error.message } : {}), at }
}
