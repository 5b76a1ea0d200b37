/** What the MCP project's own client remembers of an authorization, and where it would send the person. */
import type { OAuthClientProvider } from '@modelcontextprotocol/client'

export interface ClientMemory extends OAuthClientProvider {
  /** Where it would open a browser. */
  asked: URL | undefined
  saved: { readonly access_token?: string } | undefined
}

export interface MemoryOptions {
  readonly redirectUrl: string
  /** Absent: it registers itself. */
  readonly clientId?: string | undefined
  /** Address of the document it is known by. */
  readonly clientMetadataUrl?: string
}

export function clientMemory({ redirectUrl, clientId, clientMetadataUrl }: MemoryOptions): ClientMemory {
  let verifier = ''
  let information = clientId === undefined ? undefined : { client_id: clientId }
  return {
    asked: undefined,
    saved: undefined,
    redirectUrl,
    ...(clientMetadataUrl === undefined ? {} : { clientMetadataUrl }),
    clientMetadata: {
      client_name: 'Somebody',
      redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    state: () => 'state-of-the-client',
    clientInformation: () => information as never,
    saveClientInformation: (given) => void (information = given as never),
    tokens() {
      return this.saved as never
    },
    saveTokens(given) {
      this.saved = given
    },
    redirectToAuthorization(address) {
      this.asked = address
    },
    saveCodeVerifier: (given) => void (verifier = given),
    codeVerifier: () => verifier,
  }
}
