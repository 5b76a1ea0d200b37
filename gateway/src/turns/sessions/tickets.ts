/**
 * A ticket ties a tool call at the MCP endpoint to the model call that proposed it: same principal, application and agent,
 * same tool, same arguments, once. Without it the two floors would see two strangers.
 */
import { hash } from 'node:crypto'
import type { Caller } from '../../core/principal.ts'
import { RememberedHashes } from '../../core/remembered-hashes.ts'
import type { Changed, MaybePromise, StateStore } from '../../state/state-store.ts'
import type { Ticket } from '../../state/state-values.ts'

/** A ticket that a call holds until its decision is on record. */
export interface HeldTicket {
  readonly key: string
  readonly ticket: Ticket
}

/** Tickets that wait for calls of one tool with the same arguments; the oldest fall off. */
const mostWaiting = 16
/** A call that is being decided holds its ticket at most so long; after that, whoever held it has gone. */
const holdMs = 120_000

/** Key of the tickets for calls of this tool with these arguments (their digest: SHA-256, hex). */
export function ticketKey(
  secret: Uint8Array,
  { principal, consumer, actor }: Pick<Caller, 'principal' | 'consumer' | 'actor'>,
  tool: string,
  argumentsDigest: string,
): string {
  return hash(
    'sha256',
    `${beginnings.of(secret, 'ticket', principal.id, consumer ?? '', actor ?? '')}${tool.length}:${tool}${argumentsDigest}`,
    'base64url',
  )
}

const beginnings = new RememberedHashes()

/** A model may make the same call twice in one message, and two conversations may make it at the same moment: each gets a ticket. */
export function mintTicket(state: StateStore, key: string, ticket: Ticket, now: number): MaybePromise<void> {
  return state.change('ticket', key, (waiting = []) => {
    const living = [...waiting.filter(({ expires }) => expires > now), ticket]
    const sessions = new Set(living.flatMap(({ session, alike = [] }) => [session, ...alike]))
    const marked =
      sessions.size === 1
        ? living
        : living.map((one): Ticket => ({ ...one, alike: [...sessions].filter((id) => id !== one.session).slice(-mostWaiting) }))
    return { ...kept(marked.slice(-mostWaiting), undefined), mayWait: true }
  })
}

/**
 * The ticket for a call, held for it until it is used up or given back: the one with the call id the client names, else the
 * newest that nobody holds, because an older one may belong to a call that was never made; then `alike` says whose call it
 * may be as well. Undefined when no governed
 * model call proposed the call.
 */
export function holdTicket(state: StateStore, key: string, callId: string | undefined, now: number): MaybePromise<Ticket | undefined> {
  return state.change('ticket', key, (waiting) => {
    const living = (waiting ?? []).filter(({ expires }) => expires > now)
    const free = living.filter(({ heldUntil = 0 }) => heldUntil <= now)
    const exact = free.findLast((ticket) => ticket.callId === callId)
    const found = exact ?? free.at(-1)
    if (found === undefined) return kept(waiting, undefined)
    const { alike: _, ...alone } = found
    return kept(
      living.map((ticket) => (ticket === found ? { ...ticket, heldUntil: now + holdMs } : ticket)),
      exact === undefined ? found : alone,
    )
  })
}

/** The decision is on record: the ticket is used up. */
export function useTicket(state: StateStore, key: string, ticket: Ticket): MaybePromise<void> {
  // Does not wait: a tool may run for longer than the ticket is held.
  return state.change('ticket', key, (waiting = []) =>
    kept(
      waiting.filter((one) => !isSame(one, ticket)),
      undefined,
    ),
  )
}

/** The decision could not be recorded: the call may be tried again. */
export function giveBackTicket(state: StateStore, key: string, ticket: Ticket): MaybePromise<void> {
  return state.change('ticket', key, (waiting = []) => ({
    ...kept(
      // Who else may make the call has perhaps grown since.
      waiting.map((one) => (isSame(one, ticket) ? free(one) : one)),
      undefined,
    ),
    mayWait: true,
  }))
}

function free(ticket: Ticket): Ticket {
  const { heldUntil: _, ...waits } = ticket
  return waits
}

function isSame(one: Ticket, other: Ticket): boolean {
  return one.decision === other.decision
}

/** Tickets expire one by one; their list lives as long as the last of them. */
function kept<R>(waiting: readonly Ticket[] | undefined, result: R): Changed<readonly Ticket[], R> {
  if (waiting === undefined || waiting.length === 0) return { value: undefined, expires: 0, result }
  return { value: waiting, expires: Math.max(...waiting.map(({ expires }) => expires)), result }
}
