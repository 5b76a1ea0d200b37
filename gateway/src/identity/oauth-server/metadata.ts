/** What a protected resource says of itself (RFC 9728). Pure. */
import { resourceUri, scopesOf, type Resource } from './resources.ts'

export interface ResourceMetadataParts {
  readonly publicUrl: string
  /** Ours, if there is one, and those whose tokens are taken. */
  readonly authorizationServers: readonly string[]
  /** Whether tokens of ours may be bound to keys. */
  readonly takesProofs: boolean
}

export function resourceMetadata({ publicUrl, authorizationServers, takesProofs }: ResourceMetadataParts, resource: Resource): object {
  return {
    resource: resourceUri(publicUrl, resource),
    authorization_servers: authorizationServers,
    scopes_supported: scopesOf(resource),
    bearer_methods_supported: ['header'],
    resource_name: resource.kind === 'mcp' ? `Turnward: ${resource.gateway}` : 'Turnward',
    ...(takesProofs ? { dpop_signing_alg_values_supported: ['ES256', 'Ed25519', 'EdDSA'] } : {}),
  }
}
