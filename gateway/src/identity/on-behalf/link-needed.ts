/** What a caller is told who has no account connected: where the person connects it, in words that a model passes on. */
import type { McpServer } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import type { Caller } from '../../core/principal.ts'
import { sealTicket, ticketLifeMs } from './link-ticket.ts'

export interface LinkPlaces {
  /** What the gateway is called by browsers, without a slash at its end. */
  readonly publicUrl: () => string
  /** Unix milliseconds. */
  readonly now: () => number
  /** That of the store. */
  readonly secret: Uint8Array
}

/** The page where a person connects an account, or gives a secret. */
export function linkAddress(places: LinkPlaces, person: string, server: string, scopes?: readonly string[]): string {
  const expires = places.now() + ticketLifeMs
  const ticket = sealTicket(places.secret, { person, server, expires, ...(scopes === undefined ? {} : { scopes }) })
  return `${places.publicUrl()}/connect/${encodeURIComponent(server)}?for=${ticket}`
}

/** `before`: id of the account there was, which is not enough. `mcp.link_needed` with the address in its words and in `details`; `mcp.person_needed` for a caller who is no person and opens no page. */
export function linkNeeded(
  places: LinkPlaces,
  server: McpServer,
  { principal }: Caller,
  { why, before, scopes }: { readonly why: string; readonly before?: string | undefined; readonly scopes?: readonly string[] | undefined },
): TurnwardError {
  if (principal.kind === 'workload')
    return personNeeded(server, `\`${principal.id}\` is a workload, and only a person can connect an account`)
  const url = linkAddress(places, principal.id, server.name, scopes)
  return new TurnwardError('mcp.link_needed', {
    subject: server.name,
    why,
    fix: `Show the person this link and ask them to open it: ${url} . When it is done, make the same call again.`,
    details: { url, before: before ?? '' },
  })
}

/** `mcp.person_needed` */
export function personNeeded(server: McpServer, why: string, fix?: string): TurnwardError {
  return new TurnwardError('mcp.person_needed', { subject: server.name, why, fix })
}
