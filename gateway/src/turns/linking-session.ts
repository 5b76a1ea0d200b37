/**
 * Finds the session a tool call belongs to: the one whose model call proposed it (ticket), the one the caller
 * names, else the session of this principal, client and gateway. The last one also carries everything read
 * through this MCP connection, so a call that lost its ticket on the way is never decided on a clean label.
 */
import { newId } from '../core/ids.ts'
import type { Session } from '../state/sessions.ts'
import type { CatalogueTool } from '../tools/catalogue.ts'
import type { McpContext } from '../tools/operations.ts'
import { freshState, namedSession, sessionIdFor } from './attaching-session.ts'
import type { Services } from './services.ts'
import { takeTicket, ticketKey, type Ticket } from './tickets.ts'

export interface LinkedSession {
  readonly session: Session
  readonly turn: string
  readonly ticket: Ticket | undefined
  readonly clientSession: Session
}

export async function linkSession(services: Services, context: McpContext, tool: CatalogueTool, argumentsDigest: string): Promise<LinkedSession> {
  const { snapshot, caller } = context
  const clientSession = await mcpSession(services, context)
  if (snapshot.settings.turns.tickets !== 'off') {
    const key = ticketKey(services.secret, caller.principal.id, tool.name, argumentsDigest)
    const ticket = await takeTicket(services.state, key, services.clock.now())
    const session =
      ticket === undefined ? undefined : await services.sessions.find(ticket.session, snapshot.policy, snapshot.settings.turns.session_idle_ms)
    if (ticket !== undefined && session !== undefined) return { session, turn: ticket.turn, ticket, clientSession }
  }
  // Calls nobody proposed share the turn of the model calls in a named session; alone, each is a turn of its own.
  const turn = namedSession(context.headers) === undefined ? newId('turn') : (clientSession.turn ?? newId('turn'))
  clientSession.turn = turn
  return { session: clientSession, turn, ticket: undefined, clientSession }
}

/** The session of an MCP connection: named by the caller, else one per principal, client and gateway. */
export async function mcpSession(services: Services, context: McpContext): Promise<Session> {
  const { snapshot, caller, client, gateway } = context
  const named = namedSession(context.headers)
  const source = named?.source ?? 'mcp'
  const id = sessionIdFor(services.secret, caller, source, named?.value ?? JSON.stringify([caller.key, client.name, gateway]))
  const found = await services.sessions.find(id, snapshot.policy, snapshot.settings.turns.session_idle_ms)
  if (found !== undefined) return found
  return services.sessions.create({ id, principal: caller.principal.id, source, parent: null }, freshState(snapshot.policy), snapshot.policy)
}
