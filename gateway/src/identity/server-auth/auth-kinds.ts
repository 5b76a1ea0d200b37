/** The table of `servers.*.auth`: what each kind does. */
import { TurnwardError } from '../../core/error.ts'
import type { AuthKind, AuthKinds, ServerAuthConfig } from './auth-kind.ts'
import { clientCredentials, type ClientCredentialsParts } from './client-credentials.ts'
import { fixedHeaders, nothingShown } from './fixed-headers.ts'

/** A kind that is a person's own, where nobody made one: whoever gets here gets nothing. */
const notHere: AuthKind<ServerAuthConfig> = {
  scope: () => undefined,
  credentialId: () => 'none',
  headersFor: ({ kind }, { server }) =>
    Promise.reject(
      new TurnwardError('mcp.no_credential', { subject: server.name, why: `\`auth: { kind: ${kind} }\` is not available here` }),
    ),
}

/** `personal`: kinds that are a person's own; absent where only what is shared can be used. */
export function authKinds(parts: ClientCredentialsParts, personal: Partial<AuthKinds> = {}): AuthKinds {
  return {
    user: notHere,
    exchange: notHere,
    entra_obo: notHere,
    id_jag: notHere,
    person_header: notHere,
    person_secret: notHere,
    ...personal,
    none: nothingShown,
    header: fixedHeaders,
    client_credentials: clientCredentials(parts),
  }
}
