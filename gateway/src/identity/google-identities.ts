/**
 * Access tokens of Google Cloud, for a service account's key or for what this machine is. Google's own code asks for them; it is
 * loaded only where such a credential is configured.
 */
import type { GoogleIdentity, SecretCredential } from '../core/credential.ts'
import { isObject } from '../core/json.ts'
import { type GivenCredential, MachineCredentials } from './machine-credentials.ts'

/** A client of Google's code, as far as it is used here. */
interface TokenClient {
  readonly credentials: { readonly expiry_date?: number | null }
  getAccessToken(): Promise<{ readonly token?: string | null }>
}

export type GoogleIdentities = MachineCredentials<GoogleIdentity, SecretCredential>

/** `open`: who gives tokens for an identity. */
export function googleIdentities(open: (identity: GoogleIdentity) => Promise<TokenClient> = openClient): GoogleIdentities {
  return new MachineCredentials(async (identity) => {
    const client = await open(identity).catch(plain)
    return () => askFor(client).catch(plain)
  })
}

async function askFor(client: TokenClient): Promise<GivenCredential<SecretCredential>> {
  const { token } = await client.getAccessToken()
  if (typeof token !== 'string' || token === '') throw new Error('Google gave no token')
  return { credential: { kind: 'secret', secret: token }, expires: client.credentials.expiry_date ?? 0 }
}

/** What Google's code throws holds the request, with what was signed in it. Its words are enough. */
function plain(error: unknown): never {
  throw new Error(error instanceof Error ? error.message.slice(0, 500) : 'no token could be had')
}

const scopes = ['https://www.googleapis.com/auth/cloud-platform']
/** A machine that is none of Google's must not make a call wait for long. */
const timeout = 10_000

/** `fetchImplementation`: in place of the one Google's code brings. */
export async function openClient(identity: GoogleIdentity, fetchImplementation?: typeof fetch): Promise<TokenClient> {
  const transporterOptions = { timeout, ...(fetchImplementation === undefined ? {} : { fetchImplementation }) }
  const { Compute, GoogleAuth, JWT } = await import('google-auth-library')
  switch (identity.from) {
    case 'service-account':
      return new JWT({ ...readKey(identity.key), scopes, transporterOptions })
    case 'metadata':
      return new Compute({ scopes, transporterOptions })
    case 'auto':
      return (await new GoogleAuth({ scopes, clientOptions: { transporterOptions } }).getClient()) as TokenClient
  }
}

/** The file that Google gives out for a service account. Throws without quoting it. */
function readKey(text: string): { readonly email: string; readonly key: string; readonly keyId?: string } {
  const file = parse(text)
  if (!isObject(file) || file.type !== 'service_account' || typeof file.client_email !== 'string' || typeof file.private_key !== 'string')
    throw new Error('the key is not the JSON file of a service account')
  const { client_email: email, private_key: key, private_key_id: keyId } = file
  return { email, key, ...(typeof keyId === 'string' ? { keyId } : {}) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
