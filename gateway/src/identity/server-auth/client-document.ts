/**
 * What this gateway is as an OAuth client, for authorization servers that look it up by the address of this document (client id
 * metadata documents) and for those that register it when it comes.
 */

/** Where the document is, below the address of the gateway. */
export const clientDocumentPath = '/.well-known/turnward-client.json'

const grants = ['authorization_code', 'refresh_token'] as const

/** A browser comes back to a place on the internet, or to this machine (RFC 8252): authorization servers treat them differently. */
function applicationType(redirectUri: string): 'web' | 'native' {
  return new URL(redirectUri).protocol === 'https:' ? 'web' : 'native'
}

/** The document. `publicUrl`: what the gateway is called by others, without a slash at its end. */
export function clientDocument(publicUrl: string, redirectUri: string): Readonly<Record<string, unknown>> {
  return {
    client_id: `${publicUrl}${clientDocumentPath}`,
    client_uri: publicUrl,
    ...clientMetadata(redirectUri),
    token_endpoint_auth_method: 'none',
  }
}

/** What both ways of becoming known say. */
export function clientMetadata(redirectUri: string): Readonly<Record<string, unknown>> {
  return {
    client_name: 'Turnward',
    redirect_uris: [redirectUri],
    grant_types: grants,
    response_types: ['code'],
    application_type: applicationType(redirectUri),
  }
}

/** Whether authorization servers elsewhere can fetch the document (SEP-991: https, with a path). */
export function isFetchable(clientId: string): boolean {
  const url = URL.parse(clientId)
  return url !== null && url.protocol === 'https:' && url.pathname !== '/' && url.hash === '' && url.username === ''
}
