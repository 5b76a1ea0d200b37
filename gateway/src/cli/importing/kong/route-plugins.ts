/** Plugins that say what may be said on a route, what is said beside it, and what is answered again. A table, in the order in which Kong runs them. */
import type { RoutePart } from '../gateways/route-part.ts'
import type { KongPlugin } from './plugins.ts'
import { askAws, leftOfAws } from './route-plugins/aws-guardrails.ts'
import { askContentSafety, leftOfContentSafety } from './route-plugins/azure-content-safety.ts'
import { decorate, leftOfDecorator } from './route-plugins/decorator.ts'
import { askLakera, leftOfLakera } from './route-plugins/lakera-guard.ts'
import { askModelArmor, leftOfModelArmor } from './route-plugins/model-armor.ts'
import { guardPrompts, leftOfPromptGuard } from './route-plugins/prompt-guard.ts'
import { fillTemplates, leftOfTemplates } from './route-plugins/prompt-template.ts'
import { leftOfTransformer, transformRequests } from './route-plugins/request-transformer.ts'
import { leftOfSanitizer, sanitize } from './route-plugins/sanitizer.ts'
import { keepAnswers, leftOfSemanticCache } from './route-plugins/semantic-cache.ts'
import { guardAnswers, guardTopics, leftOfSemanticGuard } from './route-plugins/semantic-guard.ts'
import { isForSome, precision } from './scopes.ts'
import type { KongMaking } from './target.ts'

interface RoutePlugin {
  /** `owner`: the route or service it is at, for names of things. Undefined when nothing of it can be taken over. */
  readonly take: (plugin: KongPlugin, owner: string, making: KongMaking) => RoutePart | undefined
  readonly left: Readonly<Record<string, string>>
  /** It becomes guards, which may be for a group of callers. */
  readonly isGuard?: true
}

const table: Readonly<Record<string, RoutePlugin>> = {
  'request-transformer-advanced': { take: transformRequests, left: leftOfTransformer },
  'request-transformer': { take: transformRequests, left: leftOfTransformer },
  'ai-sanitizer': { take: sanitize, left: leftOfSanitizer, isGuard: true },
  'ai-semantic-prompt-guard': { take: guardTopics, left: leftOfSemanticGuard, isGuard: true },
  'ai-azure-content-safety': { take: askContentSafety, left: leftOfContentSafety, isGuard: true },
  'ai-aws-guardrails': { take: askAws, left: leftOfAws, isGuard: true },
  'ai-gcp-model-armor': { take: askModelArmor, left: leftOfModelArmor, isGuard: true },
  'ai-lakera-guard': { take: askLakera, left: leftOfLakera, isGuard: true },
  'ai-prompt-template': { take: fillTemplates, left: leftOfTemplates },
  'ai-prompt-decorator': { take: decorate, left: leftOfDecorator },
  'ai-prompt-guard': { take: guardPrompts, left: leftOfPromptGuard, isGuard: true },
  'ai-semantic-response-guard': { take: guardAnswers, left: leftOfSemanticGuard, isGuard: true },
  'ai-semantic-cache': { take: keepAnswers, left: leftOfSemanticCache },
}

export function isRoutePlugin(name: string): boolean {
  return Object.hasOwn(table, name)
}

/** What plugins set on a route, in the order in which Kong runs them. */
export function routePartsOf(plugins: readonly KongPlugin[], making: KongMaking): readonly RoutePart[] {
  return Object.entries(table).flatMap(([name, { take }]) =>
    plugins
      .filter((plugin) => plugin.name === name)
      .flatMap((plugin) => take(plugin, plugin.route ?? plugin.service ?? 'kong', making) ?? []),
  )
}

/** A guard for the callers of one group holds for them, whatever they ask. False when it is none, or for some routes only. */
export function takeGroupGuard(plugin: KongPlugin, groups: ReadonlyMap<string, string>, making: KongMaking): boolean {
  const { name, whole, said } = plugin
  const group = groups.get(plugin.group ?? '')
  const { take, isGuard } = table[name] ?? {}
  if (isGuard !== true || group === undefined || plugin.consumer !== undefined || precision(plugin) > 0) return false
  take?.(plugin, group, making)
  const guards = making.guards.get(whole.at) ?? []
  for (const guard of guards) making.draft.holdForGroup(guard, group, said)
  return guards.length > 0
}

/** Speaks of what of a plugin does not stand on any route. `isUsed`: it is for a model that was taken over. */
export function leaveRoutePlugin(plugin: KongPlugin, isUsed: boolean): void {
  for (const [key, why] of Object.entries(table[plugin.name]?.left ?? {})) plugin.get(key)?.left(why)
  const unused = isForSome(plugin)
    ? 'what is for some callers only is for a route of its own, with `match`'
    : 'it is for no model that was taken over'
  plugin.whole.left(isUsed ? 'nothing here is like it' : unused)
}
