/**
 * With whose credentials the hop to a server is opened, and which connection that makes it. The only place that knows: today
 * the servers' own, which are the same for every caller; credentials of persons are one more scope here.
 */
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import type { Caller } from '../../core/principal.ts'

/** `server:<name>`: the credentials configured with the server, shared by all callers. */
export type CredentialScope = string

/** The scope of one caller's hop to a server. Without a caller: that of the gateway itself. */
export function credentialScope({ name }: McpServer, _caller: Caller | undefined): CredentialScope {
  return `server:${name}`
}

/** Whose child of a started server a caller meets: his own, where each principal has one. Undefined: the one that all share. */
export function childOwner({ config }: McpServer, caller: Caller | undefined): string | undefined {
  return config.transport === 'stdio' && config.per === 'principal' ? caller?.principal.id : undefined
}

/** Hops with the same key are one connection: one configuration of one server, with one set of credentials. */
export function connectionKey({ name, digest }: McpServer, scope: CredentialScope): string {
  return `${name} ${digest} ${scope}`
}

/** What a gateway shows is the same for all callers of one key, because their hops are the same connections. */
export function catalogueKey(gateway: string, _caller: Caller | undefined): string {
  return gateway
}

/** Id of the credential that a hop sends, as decisions record it: its scope, or `none`. */
export function credentialId({ servers }: Snapshot, name: string, caller: Caller | undefined): string {
  const server = servers.get(name)
  return server === undefined || !sendsCredential(server) ? 'none' : credentialScope(server, caller)
}

function sendsCredential({ config }: McpServer): boolean {
  if (config.transport === 'stdio') return false
  return Object.keys(config.headers).length > 0 || (config.transport === 'openapi' && Object.keys(config.query).length > 0)
}
