/**
 * Which connection a hop to a server is: one configuration of one server, with one set of credentials. Connections that are
 * somebody's own are children of the one that all share.
 */
import type { McpServer } from '../../config/snapshot.ts'
import type { Caller } from '../../core/principal.ts'

/** `shared`: the connection that shows what a server has, and that everybody's requests run on unless people have their own. */
export const sharedScope = 'shared'

/** Whose child of a started server a caller meets: his own, where each principal has one. Undefined: the one that all share. */
export function childOwner({ config }: McpServer, caller: Caller | undefined): string | undefined {
  return config.transport === 'stdio' && config.per === 'principal' ? caller?.principal.id : undefined
}

/** Hops with the same key are one connection: one configuration of one server, with one set of credentials. */
export function connectionKey({ name, digest }: McpServer, scope: string): string {
  return `${name} ${digest} ${scope}`
}
