/** The table of `servers.*.auth`: what each kind does. */
import { TurnwardError } from '../../core/error.ts'
import type { AuthKind, AuthKinds, ServerAuthConfig } from './auth-kind.ts'
import { fixedHeaders, nothingShown } from './fixed-headers.ts'

/** A kind that the schema refuses; whoever gets here all the same gets nothing. */
const notYet: AuthKind<ServerAuthConfig> = {
  scope: () => undefined,
  credentialId: () => 'none',
  headersFor: ({ kind }, { server }) =>
    Promise.reject(new TurnwardError('mcp.no_credential', { subject: server.name, why: `\`auth: { kind: ${kind} }\` is not available` })),
}

export function authKinds(): AuthKinds {
  return {
    none: nothingShown,
    header: fixedHeaders,
    client_credentials: notYet,
    user: notYet,
    exchange: notYet,
    entra_obo: notYet,
    id_jag: notYet,
    person_header: notYet,
    person_secret: notYet,
  }
}
