/**
 * Finds the session a tool call belongs to: the one whose model call proposed it (ticket), the one the caller names, else
 * that of the owner's MCP connections. Without a ticket the call may come from any conversation that was offered the tool,
 * so it is decided on all of them, and a call that lost its ticket on the way is never decided on a clean label.
 */
import type { Snapshot } from '../../config/snapshot.ts'
import { digestJson } from '../../core/hash.ts'
import { newId } from '../../core/ids.ts'
import type { JsonObject } from '../../core/json.ts'
import { join } from '../../policy/label.ts'
import type { Label } from '../../policy/types.ts'
import type { Session } from '../../state/sessions.ts'
import type { MaybePromise } from '../../state/state-store.ts'
import type { Ticket } from '../../state/state-values.ts'
import type { CatalogueEntry } from '../../tools/catalogue.ts'
import type { McpContext, ServerRequest } from '../../tools/operations.ts'
import type { Services } from '../services.ts'
import type { AskedBefore } from '../asked-again.ts'
import { connectionSession, hasConversations, offeringConversations } from './conversations.ts'
import { namedSession, sessionNamed } from './naming-session.ts'
import { giveBackTicket, holdTicket, ticketKey, type HeldTicket } from './tickets.ts'

export interface LinkedSession {
  readonly session: Session
  readonly turn: string | null
  readonly held: HeldTicket | undefined
  /** What counts for the decision besides the session's own label: the connection, and conversations the call may come from. */
  readonly besides: Label
}

/** A call whose session is to be found. */
export interface UnlinkedCall {
  readonly tool: CatalogueEntry
  readonly request: ServerRequest
  /** Of the arguments as they were written (SHA-256, hex). */
  readonly digest: string
  /** What it was before, where it has asked for input and comes back with it. */
  readonly before: AskedBefore | undefined
}

export async function linkSession(
  services: Services,
  context: McpContext,
  { tool, request, digest, before }: UnlinkedCall,
): Promise<LinkedSession> {
  const { snapshot, caller } = context
  const connection = await mcpSession(services, context)
  if (before !== undefined) {
    const session = await services.sessions.find(before.session, snapshot.policy, snapshot.settings.turns.session_idle_ms)
    if (session !== undefined) return { session, turn: before.turn, held: undefined, besides: connection.policyState.label }
  }
  // An owner without conversations has nobody who could have proposed the call.
  const hasModelCalls = await hasConversations(services, caller)
  const held =
    snapshot.settings.turns.tickets === 'off' || !hasModelCalls ? undefined : await findTicket(services, context, tool, request, digest)
  if (held !== undefined) {
    const proposed = await releasedOnFailure(services, held, () => linkByTicket(services, context, connection, held))
    if (proposed !== undefined) return proposed
    await giveBackTicket(services.state, held.key, held.ticket)
  }
  const { sessions, label } = await offeringConversations(services, snapshot, caller, tool.name)
  const isNamed = namedSession(context.headers) !== undefined
  // A named session that is one of the conversations is the one the call comes from.
  const besides =
    isNamed && sessions.some(({ id }) => id === connection.id) ? connection.policyState.label : join(connection.policyState.label, label)
  // Calls nobody proposed share the turn of the model calls in a named session; alone, each is a turn of its own.
  const turn = isNamed ? await turnOf(services, connection) : newId('turn')
  return { session: connection, turn, held: undefined, besides }
}

/** The session of the model call that proposed the call; undefined when it is no longer known. */
async function linkByTicket(
  services: Services,
  { snapshot }: McpContext,
  connection: Session,
  held: HeldTicket,
): Promise<LinkedSession | undefined> {
  const session = await services.sessions.find(held.ticket.session, snapshot.policy, snapshot.settings.turns.session_idle_ms)
  if (session === undefined) return undefined
  const besides = await joinAlike(services, snapshot, held.ticket, connection.policyState.label)
  return { session, turn: held.ticket.turn, held, besides }
}

/** Gives the ticket back at once when what it is held for fails: the call may be tried again. */
export async function releasedOnFailure<T>(services: Services, held: HeldTicket | undefined, run: () => MaybePromise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (held !== undefined) await giveBackTicket(services.state, held.key, held.ticket)
    throw error
  }
}

/** The turn of a session; of two calls that begin one, the first does. */
function turnOf(services: Services, session: Session): MaybePromise<string> {
  const fresh = newId('turn')
  return services.sessions.change(session, (state) => (state.turn === null ? [{ ...state, turn: fresh }, fresh] : [state, state.turn]))
}

/** The same call may come from another conversation that was to make it: no ticket is cleaner than the others it could be taken for. */
async function joinAlike(services: Services, snapshot: Snapshot, { alike = [] }: Ticket, start: Label): Promise<Label> {
  let label = start
  for (const id of alike) {
    const session = await services.sessions.find(id, snapshot.policy, snapshot.settings.turns.session_idle_ms)
    if (session !== undefined) label = join(label, session.policyState.label)
  }
  return label
}

/** The session of an MCP connection: named by the caller, else one per principal, consumer and actor. */
export async function mcpSession(services: Services, { snapshot, caller, headers }: McpContext): Promise<Session> {
  const name = namedSession(headers)
  return name === undefined ? connectionSession(services, snapshot, caller) : sessionNamed(services, snapshot, caller, name)
}

/** Where clients put the model's id of the call into the `_meta` of a tool call. */
const callIdKeys = ['claudecode/toolUseId', 'callId'] as const

async function findTicket(
  services: Services,
  { caller }: McpContext,
  tool: CatalogueEntry,
  { args, meta }: ServerRequest,
  digest: string,
): Promise<HeldTicket | undefined> {
  const named = callIdKeys.map((key) => meta?.[key]).find((value) => typeof value === 'string')
  for (const expected of argumentDigests(tool, args, digest)) {
    const key = ticketKey(services.secret, caller, tool.name, expected)
    const ticket = await holdTicket(services.state, key, named, services.clock.now())
    if (ticket !== undefined) return { key, ticket }
  }
  return undefined
}

/** Digests (SHA-256, hex) under which a call is expected: as the tool's schema means the arguments, and as they were written. */
export function argumentDigests(tool: CatalogueEntry | undefined, args: JsonObject, written = digestJson(args)): readonly string[] {
  const settled = tool?.settled?.(args) ?? args
  // Proposed while the tool was not known yet, a call is expected as it was written.
  return settled === args ? [written] : [digestJson(settled), written]
}
