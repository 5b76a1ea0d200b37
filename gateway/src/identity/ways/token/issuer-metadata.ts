/**
 * What an issuer says of itself: its metadata (OpenID Connect Discovery, RFC 8414) and its key set. Only the configured address is
 * believed to be the issuer's; what the metadata names besides is asked under the rules of the guard.
 */
import type { Issuer } from '../../../core/issuer.ts'
import { isObject, type JsonObject } from '../../../core/json.ts'
import { parseJson } from '../../../core/parse-json.ts'
import type { GuardedFetch } from '../../guarded-fetch.ts'

/** As it was published; `issuer` and `jwks_uri` have been looked at. */
export type IssuerMetadata = JsonObject & { readonly jwks_uri: string }

const maxText = 256 * 1024

/** Asks for the metadata, where there is any, and the keys. Rejects with words for an administrator that quote nothing. */
export async function askForKeys(
  issuer: Issuer,
  fetch: GuardedFetch,
): Promise<{ readonly metadata: IssuerMetadata | undefined; readonly keySet: unknown }> {
  const metadata = issuer.jwksUri === undefined ? await metadataOf(issuer, fetch) : undefined
  const keySet = await json(metadata?.jwks_uri ?? issuer.jwksUri ?? '', 'key set', fetch)
  return { metadata, keySet }
}

async function metadataOf(issuer: Issuer, fetch: GuardedFetch): Promise<IssuerMetadata> {
  const [first = '', ...others] = metadataAddresses(issuer)
  let document = await json(first, 'metadata', fetch, others.length > 0)
  for (const address of others) document ??= await json(address, 'metadata', fetch)
  if (!isObject(document)) throw new Error('its metadata is no JSON object')
  if (document.issuer !== issuer.issuer)
    throw new Error('its metadata names another issuer: `issuer` must be exactly as it is written there')
  const { jwks_uri: keys } = document
  if (typeof keys !== 'string' || !URL.canParse(keys)) throw new Error('its metadata has no `jwks_uri`')
  return { ...document, jwks_uri: keys }
}

/** OpenID Connect appends to the issuer, RFC 8414 puts its part before the path. */
function metadataAddresses({ issuer, discovery }: Issuer): readonly string[] {
  if (discovery !== undefined) return [discovery]
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [`${origin}${path}/.well-known/openid-configuration`, `${origin}/.well-known/oauth-authorization-server${path}`]
}

/** Undefined for a document that is not there, where that is no failure. */
async function json(address: string, what: string, fetch: GuardedFetch, mayBeMissing = false): Promise<unknown> {
  const response = await fetch(address, { headers: { accept: 'application/json' } }).catch((error: unknown) => {
    throw new Error(`its ${what} cannot be asked for: ${reasonOf(error)}`)
  })
  if (response.status === 404 && mayBeMissing) return undefined
  if (response.status !== 200) throw new Error(`it answers with HTTP ${response.status} where its ${what} should be`)
  const text = await response.text()
  if (text.length > maxText) throw new Error(`its ${what} is longer than ${maxText} characters`)
  try {
    return parseJson(text)
  } catch {
    throw new Error(`its ${what} is not JSON`)
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no connection'
  const { code } = error as Error & { readonly code?: unknown }
  return typeof code === 'string' ? code : error.message.slice(0, 200)
}
