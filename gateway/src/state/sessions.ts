/**
 * Sessions as stored: whose they are, the label, the effects, and what must be known to link a tool call to them.
 * Lives here because any replica must be able to serve any request; what it means is decided in turns.
 */
import type { PolicyState } from '../policy/types.ts'

/** What is known of a session at one moment. Immutable: a change makes the next one (`sessions.change`). */
export interface SessionState {
  readonly id: string
  readonly principal: string
  /** The application it belongs to; a session is found again only by the same principal and consumer. */
  readonly consumer: string | null
  /** Where the id came from: `header`, `claude-code`, `codex`, `prefix`, `mcp`, `sampling`, … */
  readonly source: string
  /** Session this one was forked from, whose agent started it, or whose request to a server asked for it. */
  readonly parent: string | null
  readonly policyState: PolicyState
  /** Turn of the newest request that belongs to one; calls of the session's sub-agents belong to it too. */
  readonly turn: string | null
  /** Place of the newest request in its conversation; the head of the prefix chain. */
  readonly head: string | null
  /** Whether the request at the head has been answered: who goes on from it without the answer has left the known path. */
  readonly headAnswered: boolean
  /** Our tools its model calls have been offered, by exposed name; `*` when it has a tool that can call any other. Sorted. */
  readonly offered: readonly string[]
  /** Sessions of the agents it started, newest last. */
  readonly children: readonly string[]
  /** What narrowed the label, newest last: names of tools, or what else was read. */
  readonly narrowedBy: readonly string[]
  /** Whether the gateway has put a note into the conversation, which every later request of it carries. */
  readonly hasNotes: boolean
  /** Whether a result of it is withheld behind a handle. */
  readonly hasWithheld: boolean
  /** Approvals that calls of it wait for, or did, and that its model has not been told of. */
  readonly approvals: readonly string[]
  /** Lines the person has not read yet, and marks of those that need not be told again. */
  readonly untold: readonly string[]
  readonly told: readonly string[]
  /** Unix milliseconds of last use. */
  readonly usedAt: number
  /** Grows with every change: what a change was made on is compared by it. */
  readonly version: number
}

/** A session in use: its id, and the newest state this process knows. */
export interface Session {
  readonly id: string
  readonly state: SessionState
  /** The label and effects of `state`. */
  readonly policyState: PolicyState
}
