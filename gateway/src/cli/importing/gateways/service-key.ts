/** The key of a service that a guard asks, as a credential. */
import type { Foreign } from './foreign-value.ts'
import type { CredentialMaking } from './header-credential.ts'

/** Its name; undefined where there is none. */
export function serviceKey(key: Foreign | undefined, owner: string, { texts, credentials }: CredentialMaking): string | undefined {
  const text = key?.text()
  if (key === undefined || text === undefined || text === '') return undefined
  const written = texts.secret(text, owner, `${owner}_API_KEY`)
  return credentials.secret(written.text, key, written.why)
}
