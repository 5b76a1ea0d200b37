/**
 * The names under which a gateway shows tools or prompts, and the names it takes for them. `server__name` is always taken;
 * an alias where the configuration gives one; a server's own name only where the gateway shows original names and it can mean
 * nothing else. Pure.
 */
import type { McpGateway } from '../../config/snapshot.ts'
import { gatewayServer, serverOfName } from '../../core/tool-names.ts'

/** What vendors of models take for the name of a tool. */
const takenEverywhere = /^[A-Za-z0-9_-]{1,64}$/

interface Owned {
  readonly server: string
  readonly originalName: string
}

export interface ShownNames<T> {
  /** The name clients see. */
  of(item: T): string
  meant(name: string): T | undefined
}

/** What is configured around a name: how the gateway shows it, and every server there is, also those of other gateways. */
export interface Naming extends Pick<McpGateway, 'names' | 'aliases'> {
  readonly configured: { has(server: string): boolean }
}

/** `prefixed`: `server__name` of an item; no two have the same. */
export function shownNames<T extends Owned>(items: readonly T[], prefixed: (item: T) => string, naming: Naming): ShownNames<T> {
  const byPrefixed = new Map(items.map((item) => [prefixed(item), item]))
  const byAlias = new Map<string, T>()
  const aliasOf = new Map<T, string>()
  for (const [alias, name] of naming.aliases) {
    const item = byPrefixed.get(name)
    if (item === undefined) continue
    byAlias.set(alias, item)
    aliasOf.set(item, alias)
  }
  const byOriginal = naming.names === 'original' ? originalNames(items, naming) : new Map<string, T>()
  const shownAsIs = (item: T): boolean => byOriginal.get(item.originalName) === item && takenEverywhere.test(item.originalName)
  return {
    of: (item) => aliasOf.get(item) ?? (shownAsIs(item) ? item.originalName : prefixed(item)),
    meant: (name) => byPrefixed.get(name) ?? byAlias.get(name) ?? byOriginal.get(name),
  }
}

/** An original name that two have, that is an alias, or that begins like the names of another server, means nobody. */
function originalNames<T extends Owned>(items: readonly T[], { aliases, configured }: Naming): Map<string, T> {
  const named = new Map<string, T>()
  const several = new Set<string>()
  for (const item of items) {
    const { originalName } = item
    if (named.has(originalName)) several.add(originalName)
    const owner = serverOfName(originalName)
    const isOfAnother = owner !== undefined && owner !== item.server && (owner === gatewayServer || configured.has(owner))
    if (!isOfAnother && !aliases.has(originalName)) named.set(originalName, item)
  }
  for (const name of several) named.delete(name)
  return named
}
