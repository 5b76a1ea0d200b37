/** What a client is told that came without a token that is enough: where to learn how to get one (RFC 6750, RFC 9728). Pure. */
import type { ErrorCodeName } from '@turnward/contract/error-codes'
import { resourceUri, usualScopes, type Resource } from './resources.ts'
import type { Scope } from '../../core/principal.ts'

/** Where the metadata of a resource is (RFC 9728, section 3.1). */
export function resourceMetadataUrl(publicUrl: string, resource: Resource): string {
  return `${publicUrl}/.well-known/oauth-protected-resource${resourceUri('', resource)}`
}

export interface Refused {
  readonly code: ErrorCodeName
  readonly status: number
}

/**
 * `WWW-Authenticate` for a refused request. A request without any credential is told no error (RFC 6750, section 3.1); one
 * whose token lacks a scope is told every scope it needs, those it has among them.
 */
export function challengeOf(publicUrl: string, resource: Resource, refused: Refused, had: readonly Scope[] = []): string {
  const needed = new Set<Scope>([...had, ...usualScopes(resource)])
  const parts = [`resource_metadata="${resourceMetadataUrl(publicUrl, resource)}"`, `scope="${[...needed].join(' ')}"`]
  if (refused.status === 403) parts.unshift('error="insufficient_scope"')
  else if (refused.code !== 'auth.missing_key') parts.unshift('error="invalid_token"')
  return `Bearer ${parts.join(', ')}`
}
