/** Servers to which a person brings something of their own: an account, or a secret. */
import type { McpServer } from '../../config/snapshot.ts'
import type { ServerAuthOf } from '../server-auth/auth-kind.ts'

export type PersonalAuth = ServerAuthOf<'user' | 'person_header' | 'person_secret'>

/** What the configuration says of it; undefined for servers to which people bring nothing. */
export function personalAuthOf({ config }: McpServer): PersonalAuth | undefined {
  const { auth } = config
  return auth?.kind === 'user' || auth?.kind === 'person_header' || auth?.kind === 'person_secret' ? auth : undefined
}
