/** Levels of what servers log for clients (RFC 5424, as MCP names them), from the least to the most severe. */
const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const

export type LogLevel = (typeof levels)[number]

export function isLogLevel(value: unknown): value is LogLevel {
  return levels.includes(value as LogLevel)
}

/** Whether a client that wants this level is told of a message of that one. */
export function isWanted(message: unknown, wanted: LogLevel): boolean {
  return isLogLevel(message) && levels.indexOf(message) >= levels.indexOf(wanted)
}

/** Whether the first tells more than the second. */
export function tellsMore(one: LogLevel, other: LogLevel | undefined): boolean {
  return other === undefined || levels.indexOf(one) < levels.indexOf(other)
}
