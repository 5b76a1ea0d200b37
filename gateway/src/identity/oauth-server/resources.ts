/**
 * What a token can be for: the whole gateway, its model floor, or one MCP gateway (RFC 8707). Each is known by its address
 * below the public URL, written one way, and compared as a whole. Pure.
 */
import type { Scope } from '../../core/principal.ts'

/** A thing tokens are for. */
export type Resource = { readonly kind: 'root' } | { readonly kind: 'models' } | { readonly kind: 'mcp'; readonly gateway: string }

/** Every scope there is, in the order they are shown. */
export const allScopes: readonly Scope[] = ['models', 'mcp', 'admin']

const gatewayName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/

/** The address of a resource, as `aud` of tokens and `resource` of its metadata. `publicUrl`: an origin. */
export function resourceUri(publicUrl: string, resource: Resource): string {
  switch (resource.kind) {
    case 'root':
      return publicUrl
    case 'models':
      return `${publicUrl}/v1`
    case 'mcp':
      return `${publicUrl}/mcp/${resource.gateway}`
  }
}

/** The resource an indicator of a client means; undefined for anything else. One slash at the end is a matter of taste. */
export function resourceOf(publicUrl: string, indicator: string): Resource | undefined {
  const plain = indicator.endsWith('/') ? indicator.slice(0, -1) : indicator
  if (plain === publicUrl) return { kind: 'root' }
  return plain.startsWith(`${publicUrl}/`) ? resourceAtPath(plain.slice(publicUrl.length)) : undefined
}

/** The resource whose metadata stands below this path, or undefined: `/v1`, `/mcp/{gateway}`. */
export function resourceAtPath(path: string): Resource | undefined {
  if (path === '' || path === '/') return { kind: 'root' }
  if (path === '/v1') return { kind: 'models' }
  const gateway = path.startsWith('/mcp/') ? path.slice('/mcp/'.length) : ''
  return gatewayName.test(gateway) ? { kind: 'mcp', gateway } : undefined
}

/** The resource a request to this path calls: everything that is no MCP gateway belongs to the model floor. */
export function resourceCalled(path: string): Resource {
  const gateway = /^\/mcp\/([^/?]+)/.exec(path)?.[1]
  return gateway === undefined ? { kind: 'models' } : { kind: 'mcp', gateway }
}

/** Scopes a token for this resource may have. */
export function scopesOf(resource: Resource): readonly Scope[] {
  if (resource.kind === 'root') return allScopes
  return [resource.kind]
}

/** Scopes a client gets that asks for none: all but the one that changes things. */
export function usualScopes(resource: Resource): readonly Scope[] {
  return scopesOf(resource).filter((scope) => scope !== 'admin')
}
