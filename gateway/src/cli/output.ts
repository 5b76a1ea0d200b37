/** What a verb says: text for people on a terminal, one JSON document with `--json`. Errors go to standard error either way. */
import { ConfigError } from '../config/problems.ts'
import { asTurnwardError } from '../core/error.ts'
import { exitCodes } from './exit-codes.ts'

export interface OutputOptions {
  readonly json?: boolean | undefined
}

/** Prints `value` as JSON, or `text` for people. */
export function print(options: OutputOptions, value: unknown, text: string): void {
  process.stdout.write(options.json === true ? `${JSON.stringify(value)}\n` : text.endsWith('\n') || text === '' ? text : `${text}\n`)
}

/** Prints the error and sets the exit code that fits it. */
export function fail(options: OutputOptions, thrown: unknown): void {
  const error = asTurnwardError(thrown)
  if (options.json === true) process.stderr.write(`${JSON.stringify({ error: error.toJSON() })}\n`)
  else {
    const text = error instanceof ConfigError ? error.text : `${error.code}: ${error.message}${causeOf(error.cause)}`
    process.stderr.write(`${text}\n`)
  }
  process.exitCode = exitCodeOf(error.code)
}

const unreachable: ReadonlySet<string> = new Set([
  'mcp.server_unavailable',
  'mcp.credential_refused',
  'credential.untried',
  'store.failed',
  'upstream.failed',
  'gateway.unreachable',
])

function exitCodeOf(code: string): number {
  if (code.startsWith('config.')) return exitCodes.config
  if (unreachable.has(code)) return exitCodes.unreachable
  return exitCodes.failed
}

// Only for failures nobody foresaw: a stack is of no use to someone whose port is taken.
function causeOf(cause: unknown): string {
  return cause instanceof Error && process.env.TURNWARD_DEBUG === '1' ? `\n${cause.stack ?? cause.message}` : ''
}

/** Columns padded to the widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, index) => Math.max(all[index] ?? 0, cell.length)), [])
  return rows
    .map((row) => row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join('  '))
    .join('\n')
}
