/** Exit codes of every verb. Stable: scripts rely on them. */
export const exitCodes = {
  ok: 0,
  /** The operation failed. */
  failed: 1,
  /** The command line was wrong. */
  usage: 2,
  /** The configuration is not valid. */
  config: 3,
  /** The gateway, a server or a file could not be reached. */
  unreachable: 4,
  /** A check had a negative result: the decision log does not verify, the tool call was refused. */
  negative: 5,
} as const
