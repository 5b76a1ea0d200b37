/**
 * A ticket ties a tool call at the MCP endpoint to the model call that proposed it: same principal, same tool,
 * same arguments, once. Without it the two floors would see two strangers.
 */
import { hash } from 'node:crypto'
import { RememberedHashes } from '../core/remembered-hashes.ts'
import { whenRead, type MaybePromise, type StateStore } from '../state/state-store.ts'

export interface Ticket {
  readonly session: string
  readonly turn: string
  readonly modelCall: string
  /** The model's id of the call. */
  readonly callId: string
  /** Key the effects of the call are reserved under. */
  readonly callKey: string
  /** Decision that released the call. */
  readonly decision: string
  readonly expires: number
}

/** Key of the tickets for calls of this tool with these arguments (their digest: SHA-256, hex). */
export function ticketKey(secret: Uint8Array, principal: string, tool: string, argumentsDigest: string): string {
  return hash('sha256', `${beginnings.of(secret, 'ticket', principal)}${tool.length}:${tool}${argumentsDigest}`, 'base64url')
}

const beginnings = new RememberedHashes()

/** Read and written in one step: two conversations may be making the same call at this moment, and each needs its ticket. */
export function mintTicket(state: StateStore, key: string, ticket: Ticket): MaybePromise<void> {
  return whenRead(state.get<readonly Ticket[]>('ticket', key), (waiting) => {
    // A model may make the same call twice in one message: each gets a ticket. Old ones fall off.
    return state.put('ticket', key, [...(waiting ?? []), ticket].slice(-16), ticket.expires)
  })
}

/** The oldest live ticket, used up by this; undefined when no governed model call proposed the call. */
export function takeTicket(state: StateStore, key: string, now: number): MaybePromise<Ticket | undefined> {
  return whenRead(state.take<readonly Ticket[]>('ticket', key), (waiting) => {
    const [first, ...rest] = (waiting ?? []).filter((ticket) => ticket.expires > now)
    const last = rest.at(-1)
    return last === undefined ? first : whenRead(state.put('ticket', key, rest, last.expires), () => first)
  })
}
