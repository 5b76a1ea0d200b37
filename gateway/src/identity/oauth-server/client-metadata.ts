/** What a client says of itself, and what is made of it before the server believes it: of those in the configuration, those that register, and those that are documents. Pure. */
import type { OAuthConfig } from '@turnward/contract/config/identity/oauth'
import type { ClientMetadata } from 'oidc-provider'
import { isObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'

type ConfiguredClient = OAuthConfig['clients'][string]

/** Names of grants in the configuration -> those on the wire. */
export const grantTypes: Readonly<Record<ConfiguredClient['grants'][number], string>> = {
  authorization_code: 'authorization_code',
  refresh_token: 'refresh_token',
  client_credentials: 'client_credentials',
  device_code: 'urn:ietf:params:oauth:grant-type:device_code',
  token_exchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
  jwt_bearer: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
}

const authMethods = { none: 'none', basic: 'client_secret_basic', post: 'client_secret_post', private_key_jwt: 'private_key_jwt' } as const

/** A client of the configuration as the server wants it. */
export function configuredClient(id: string, client: ConfiguredClient): ClientMetadata {
  const { name = id, secret, jwks, redirect_uris: redirectUris, auth, grants, dpop } = client
  return {
    client_id: id,
    client_name: name,
    grant_types: grants.map((grant) => grantTypes[grant]),
    response_types: grants.includes('authorization_code') ? ['code'] : [],
    redirect_uris: redirectUris,
    token_endpoint_auth_method: authMethods[auth],
    ...(secret === undefined ? {} : { client_secret: secret }),
    ...(jwks === undefined ? {} : { jwks: jwks as NonNullable<ClientMetadata['jwks']> }),
    ...(dpop ? { dpop_bound_access_tokens: true } : {}),
  }
}

/** `native` where an answer goes to an application on a person's machine: ports of loopback addresses are free there, and consent is asked for every time. */
export function applicationType(redirectUris: readonly unknown[]): 'web' | 'native' {
  const isWeb = (uri: unknown): boolean => typeof uri === 'string' && URL.parse(uri)?.protocol === 'https:'
  return redirectUris.every(isWeb) ? 'web' : 'native'
}

/** Why a client may not have this redirect URI; undefined when it may. */
export function redirectProblem(uri: unknown): string | undefined {
  const url = typeof uri === 'string' ? URL.parse(uri) : null
  if (url === null) return 'a redirect URI is no URL'
  if (url.username !== '' || url.password !== '') return 'a redirect URI has a name or a password in it'
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) return 'a redirect URI with http may only lead to the machine itself'
  return undefined
}

/** Whether a redirect URI leads to the person's own machine. */
export function leadsToThisMachine(uri: string): boolean {
  const url = URL.parse(uri)
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && isLoopback(url.hostname)
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]'
}

/** What of a document about a client is taken over; the rest (logos, pages, subjects, encryption) is nothing that is used here. */
const takenFromDocument = [
  'client_id',
  'client_name',
  'client_uri',
  'redirect_uris',
  'grant_types',
  'response_types',
  'token_endpoint_auth_method',
  'token_endpoint_auth_signing_alg',
  'jwks',
  'jwks_uri',
  'dpop_bound_access_tokens',
  'client_secret',
  'client_secret_expires_at',
] as const

const longestName = 80

/** The document of a client, as the server may read it: JSON text, or undefined when it is no document about a client. */
export function takenDocument(text: string): string | undefined {
  const said = objectIn(text)
  if (said === undefined || !Object.hasOwn(said, 'client_id')) return undefined
  const taken: Record<string, unknown> = {}
  for (const name of takenFromDocument) if (Object.hasOwn(said, name)) taken[name] = said[name]
  // RFC 7591 says that a client which says nothing has a secret; one that is a document cannot have any.
  taken['token_endpoint_auth_method'] ??= 'none'
  if (typeof taken['client_name'] === 'string') taken['client_name'] = taken['client_name'].slice(0, longestName)
  return JSON.stringify(taken)
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = parseJson(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
