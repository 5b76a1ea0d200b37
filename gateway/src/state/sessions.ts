/**
 * Sessions as stored: the label, the effects, and the points of the history at which the session was seen.
 * Lives here because any replica must be able to serve any request; what it means is decided in turns.
 */
import type { PolicyState } from '../policy/types.ts'

export interface Session {
  readonly id: string
  readonly principal: string
  /** Where the id came from: `header`, `claude-code`, `codex`, `prefix`, `mcp`, … */
  readonly source: string
  /** Session this one was forked from. */
  readonly parent: string | null
  policy: PolicyState
  /** Current turn. */
  turn: string | null
  /** Keyed hash of the history as last seen; the head of the prefix chain. */
  head: string | null
  /** Unix milliseconds of last use. */
  usedAt: number
  /** Bumped on every change of label or effects, so that lists computed from it can be cached. */
  version: number
}
