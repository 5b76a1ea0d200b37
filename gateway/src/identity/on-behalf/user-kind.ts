/** `auth: { kind: user }`: each person's calls go out with the token that this person has consented to. */
import type { AuthKind, Challenge, CredentialQuery, ServerAuthOf, ServerHeaders } from '../server-auth/auth-kind.ts'
import { noHeaders } from '../server-auth/auth-kind.ts'
import { scopesOf } from '../server-auth/challenge.ts'
import { linkId, type Link } from './link.ts'
import { linkNeeded, type LinkPlaces } from './link-needed.ts'
import type { Links } from './links.ts'

type UserAuth = ServerAuthOf<'user'>

/** `kind: user` */
export function userKind(links: Links, places: LinkPlaces): AuthKind<UserAuth> {
  return {
    scope: (_auth, _server, caller) => caller?.principal.id,
    credentialId: (_auth, { name }, caller) => (caller === undefined ? 'none' : linkId(places.secret, name, caller.principal.id)),
    async headersFor(auth, query) {
      const { caller, server, refusal } = query
      // What there is may be shown to whoever asks, if the server lets it.
      if (caller === undefined) return refusal === undefined ? noHeaders : undefined
      if (refusal !== undefined) return afterRefusal(auth, query, refusal.challenge)
      const link = await links.usable(caller.principal.id, server)
      if (link === undefined) {
        const before = await links.find(caller.principal.id, server)
        throw linkNeeded(places, server, caller, { why: 'no account is connected, or it has to be connected again', before: before?.id })
      }
      return headersOf(link)
    },
  }

  async function afterRefusal(
    auth: UserAuth,
    { server, caller, refusal }: CredentialQuery,
    challenge: Challenge,
  ): Promise<ServerHeaders | undefined> {
    if (caller === undefined || refusal === undefined) return undefined
    const before = await links.find(caller.principal.id, server)
    const sent = refusal.headers.headers.authorization?.slice('Bearer '.length)
    if (challenge.error === 'insufficient_scope') {
      // The person has agreed to more since this request went out.
      const newer = refusal.before === 0 ? await links.usable(caller.principal.id, server) : undefined
      if (newer !== undefined && newer.tokens.access !== sent) return headersOf(newer)
      const given = scopesOf(before?.tokens.scope)
      const wanted = union(given, auth.scopes ?? [], scopesOf(challenge.scope))
      // All that is wanted was agreed to: asking for the same again would change nothing.
      if (before !== undefined && wanted.length === given.length) return undefined
      const why = 'the connected account does not allow this yet; the person has to agree to more'
      throw linkNeeded(places, server, caller, { why, before: before?.id, scopes: wanted })
    }
    // It may do what it does and not this: no other token would change that.
    if (challenge.status === 403) return undefined
    const link = refusal.before === 0 ? await links.usable(caller.principal.id, server, sent) : undefined
    if (link !== undefined && link.tokens.access !== sent) return headersOf(link)
    throw linkNeeded(places, server, caller, {
      why: 'the server does not take the token of the connected account any more',
      before: before?.id,
    })
  }
}

/** Scopes of several lists, each once. A step up asks for what there was as well: a new token takes the place of the old one. */
function union(...lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())]
}

function headersOf({ tokens }: Link): ServerHeaders {
  return { headers: { authorization: `Bearer ${tokens.access}` } }
}
