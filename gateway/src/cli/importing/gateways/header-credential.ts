/** A header that another gateway asks a vendor with, as a credential: the gateway knows where the key of each vendor goes. */
import type { DraftEntry } from './draft-entry.ts'
import type { ForeignTexts } from './foreign-text.ts'
import type { Foreign } from './foreign-value.ts'
import type { ProviderCredentials } from './provider-credential.ts'

/** Where a key stands, by the kind of the upstream; `authorization` for the others. */
const headers: Readonly<Record<string, readonly string[]>> = {
  azure: ['api-key', 'authorization'],
  anthropic: ['x-api-key'],
  gemini: ['x-goog-api-key', 'authorization'],
}

const scheme = /^\s*(?:Bearer|Basic|Token)\s+/i

export interface CredentialMaking {
  readonly texts: ForeignTexts
  readonly credentials: ProviderCredentials
}

/**
 * Sets the credential of an upstream. `header`: in lower case. False when the header is none in which the vendor has its key, or holds
 * more than a key: then it is a header like any other.
 */
export function setHeaderCredential(
  entry: DraftEntry,
  owner: string,
  header: string,
  value: Foreign,
  { texts, credentials }: CredentialMaking,
): boolean {
  const kind = String(entry.value['kind'])
  const text = value.text()
  if (text === undefined || entry.value['credential'] !== undefined || !(headers[kind] ?? ['authorization']).includes(header)) return false
  const key = text.replace(scheme, '')
  // A variable that is all of the header has the scheme in it.
  if (header === 'authorization' && key === text) return false
  const written = texts.secret(key, owner, `${owner}_API_KEY`)
  const name = credentials.secret(written.text, value, written.why)
  if (name !== undefined) entry.set('credential', name)
  if (kind === 'azure' && header === 'authorization') entry.set('auth', 'token')
  return true
}
