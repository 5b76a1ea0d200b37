/** Servers that are shown nothing, or what their configuration says: the connection itself has those headers. */
import type { AuthKind, ServerAuthOf } from './auth-kind.ts'
import { noHeaders } from './auth-kind.ts'

/** `kind: none` */
export const nothingShown: AuthKind<ServerAuthOf<'none'>> = {
  scope: () => undefined,
  credentialId: () => 'none',
  headersFor: async (_auth, { refusal }) => (refusal === undefined ? noHeaders : undefined),
}

/** `kind: header` */
export const fixedHeaders: AuthKind<ServerAuthOf<'header'>> = {
  scope: () => undefined,
  credentialId: ({ credential }, { name }) => credential ?? `server:${name}`,
  headersFor: async (_auth, { refusal }) => (refusal === undefined ? noHeaders : undefined),
}
