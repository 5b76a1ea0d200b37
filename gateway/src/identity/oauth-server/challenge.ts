/** What a client is told that came without a token that is enough: where to learn how to get one (RFC 6750, RFC 9728). Pure. */
import { publicUrl } from '../../config/public-url.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import type { TurnwardError } from '../../core/error.ts'
import type { Scope } from '../../core/principal.ts'
import type { Presented } from '../ways/way.ts'
import { resourceCalled, resourceUri, usualScopes, type Resource } from './resources.ts'

/**
 * `WWW-Authenticate` for a refused request; undefined where nobody gives out tokens, or another one would not help. `had`: the
 * scopes of the token that came. One that lacks a scope is told every scope it needs, those it has among them.
 */
export function challengeFor(error: TurnwardError, presented: Presented, snapshot: Snapshot, had: readonly Scope[]): string | undefined {
  const isTooLittle = error.code === 'auth.insufficient_scope'
  if ((error.status !== 401 && !isTooLittle) || !givesTokens(snapshot)) return undefined
  const resource = resourceCalled((presented.url ?? '/').split('?', 1)[0] ?? '/')
  const needed = new Set<Scope>([...had, ...usualScopes(resource)])
  const parts = [`resource_metadata="${metadataUrl(publicUrl(snapshot), resource)}"`, `scope="${[...needed].join(' ')}"`]
  // A request without any credential is told no error (RFC 6750, section 3.1).
  if (isTooLittle) parts.unshift('error="insufficient_scope"')
  else if (error.code !== 'auth.missing_key') parts.unshift('error="invalid_token"')
  return `Bearer ${parts.join(', ')}`
}

function givesTokens({ identity }: Snapshot): boolean {
  return identity !== undefined && (identity.oauth !== undefined || Object.keys(identity.issuers).length > 0)
}

/** Where the metadata of a resource is (RFC 9728, section 3.1). A name of a gateway is written here as it was asked for, if it is one. */
function metadataUrl(base: string, resource: Resource): string {
  const isPlain = resource.kind !== 'mcp' || /^[\w.-]+$/.test(resource.gateway)
  return `${base}/.well-known/oauth-protected-resource${isPlain ? resourceUri('', resource) : ''}`
}
