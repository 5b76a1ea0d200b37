/** `auth: { kind: person_header }`: a secret that each person gave the gateway to keep, in a header, for this server alone. */
import type { AuthKind, ServerAuthOf } from '../server-auth/auth-kind.ts'
import { noHeaders } from '../server-auth/auth-kind.ts'
import { linkId } from './link.ts'
import { linkNeeded, type LinkPlaces } from './link-needed.ts'
import type { StoredSecrets } from './stored-secrets.ts'

/** `kind: person_header` */
export function personHeaderKind(secrets: StoredSecrets, places: LinkPlaces): AuthKind<ServerAuthOf<'person_header'>> {
  return {
    scope: (_auth, _server, caller) => caller?.principal.id,
    credentialId: (_auth, { name }, caller) => (caller === undefined ? 'none' : linkId(places.secret, name, caller.principal.id)),
    async headersFor({ header, format }, { caller, server, refusal }) {
      if (caller === undefined) return refusal === undefined ? noHeaders : undefined
      if (refusal !== undefined) {
        if (refusal.challenge.status === 403) return undefined
        const before = await secrets.find(caller.principal.id, server)
        throw linkNeeded(places, server, caller, { why: 'the server does not take the secret that was stored', before: before?.id })
      }
      const stored = await secrets.find(caller.principal.id, server)
      if (stored === undefined) throw linkNeeded(places, server, caller, { why: 'no secret is stored for it' })
      return { headers: { [header.toLowerCase()]: format.replace('{secret}', () => stored.secret) } }
    },
  }
}
