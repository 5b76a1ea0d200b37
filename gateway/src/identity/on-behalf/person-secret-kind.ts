/** `auth: { kind: person_secret }`: a secret that each person gave the gateway to keep, in a variable of the child that is the person's own. */
import type { AuthKind, ServerAuthOf } from '../server-auth/auth-kind.ts'
import { noHeaders } from '../server-auth/auth-kind.ts'
import { linkId } from './link.ts'
import { linkNeeded, type LinkPlaces } from './link-needed.ts'
import type { StoredSecrets } from './stored-secrets.ts'

/** `kind: person_secret` */
export function personSecretKind(secrets: StoredSecrets, places: LinkPlaces): AuthKind<ServerAuthOf<'person_secret'>> {
  return {
    // The child is the person's already (`per: principal`).
    scope: () => undefined,
    credentialId: (_auth, { name }, caller) => (caller === undefined ? 'none' : linkId(places.secret, name, caller.principal.id)),
    async headersFor({ env }, { caller, server }) {
      if (caller === undefined) return noHeaders
      const stored = await secrets.find(caller.principal.id, server)
      if (stored === undefined) throw linkNeeded(places, server, caller, { why: 'no secret is stored for it' })
      return { headers: {}, environment: { [env]: stored.secret } }
    },
  }
}
