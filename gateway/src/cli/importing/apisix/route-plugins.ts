/** Plugins that say what may be said on a route, what is said beside it, and what is answered again. A table, in the order in which APISIX runs them. */
import { leave } from '../gateways/foreign-value.ts'
import type { RoutePart } from '../gateways/route-part.ts'
import type { ApisixMaking } from './instance.ts'
import { isForSome, type ApisixPlugin } from './plugins.ts'
import { keepAnswers, leftOfCache } from './route-plugins/cache.ts'
import { append, prepend } from './route-plugins/decorator.ts'
import { leftOfGuard } from './route-plugins/guard-part.ts'
import { askLakera } from './route-plugins/lakera-guard.ts'
import { guardPrompts } from './route-plugins/prompt-guard.ts'
import { fillTemplates, leftOfTemplates } from './route-plugins/prompt-template.ts'

interface RoutePlugin {
  readonly name: string
  /** `owner`: the route it is at, for names of things. Undefined when nothing of it can be taken over. */
  readonly take: (plugin: ApisixPlugin, owner: string, making: ApisixMaking) => RoutePart | undefined
  /** Those of global rules, which run first, come before those of routes. */
  readonly isOutermostFirst?: true
  readonly left?: Readonly<Record<string, string>>
  /** It becomes guards, which may be for a group of callers. */
  readonly isGuard?: true
}

const table: readonly RoutePlugin[] = [
  { name: 'ai-prompt-guard', take: guardPrompts, left: leftOfGuard, isGuard: true },
  { name: 'ai-prompt-template', take: fillTemplates, left: leftOfTemplates },
  { name: 'ai-prompt-decorator', take: prepend },
  { name: 'ai-prompt-decorator', take: append, isOutermostFirst: true },
  { name: 'ai-cache', take: keepAnswers, left: leftOfCache },
  { name: 'ai-lakera-guard', take: askLakera, left: leftOfGuard, isGuard: true },
]

export function isRoutePlugin(name: string): boolean {
  return table.some((known) => known.name === name)
}

/** What plugins set on a route, in the order in which APISIX runs them. */
export function routePartsOf(plugins: readonly ApisixPlugin[], making: ApisixMaking): readonly RoutePart[] {
  return table.flatMap(({ name, take, isOutermostFirst }) => {
    const named = plugins.filter((plugin) => plugin.name === name && !isForSome(plugin))
    return (isOutermostFirst === true ? named.toReversed() : named).flatMap(
      (plugin) => take(plugin, plugin.routes?.[0]?.name ?? 'apisix', making) ?? [],
    )
  })
}

/** A guard for the callers of one group holds for them, whatever they ask. False when it is none. */
export function takeGroupGuard(plugin: ApisixPlugin, groups: ReadonlyMap<string, string>, making: ApisixMaking): boolean {
  const group = groups.get(plugin.group ?? '')
  const { take, isGuard } = table.find(({ name }) => name === plugin.name) ?? {}
  if (isGuard !== true || group === undefined || plugin.consumer !== undefined) return false
  take?.(plugin, group, making)
  const guards = making.guards.get(plugin.config.at) ?? []
  for (const guard of guards) making.draft.holdForGroup(guard, group, [])
  return guards.length > 0
}

/** Speaks of what of a plugin does not stand on any route. `isUsed`: it is for a model that was taken over. */
export function leaveRoutePlugin(plugin: ApisixPlugin, isUsed: boolean): void {
  const { left = {} } = table.find(({ name }) => name === plugin.name) ?? {}
  leave(plugin.config, left)
  const unused = isForSome(plugin)
    ? 'what is for some callers only is for a route of its own, with `match`'
    : 'it is for no model that was taken over'
  plugin.config.left(isUsed ? 'nothing here is like it' : unused)
}
