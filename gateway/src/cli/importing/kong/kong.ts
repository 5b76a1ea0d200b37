/** A declarative file of decK, with the AI plugins of Kong. */
import type { Draft } from '../gateways/draft.ts'
import { EmbeddingRoutes } from '../gateways/embedding-routes.ts'
import type { ForeignTexts } from '../gateways/foreign-text.ts'
import { leave, type Foreign } from '../gateways/foreign-value.ts'
import type { Importer } from '../gateways/importer.ts'
import { ModelNames } from '../gateways/model-names.ts'
import { toldName } from '../gateways/naming.ts'
import { ProviderCredentials } from '../gateways/provider-credential.ts'
import { SharedUpstreams } from '../gateways/shared-upstreams.ts'
import { takeConsumers, takeGrant } from './consumers.ts'
import { leftOfAuthPlugin, leftOfLimits, leftOfRoute, leftOfService, leftPlugins, leftSections } from './left-out.ts'
import { takeAiLimits, takeRequestLimits } from './limits.ts'
import { kongParts } from './parts.ts'
import { readKongFile, type KongFile, type KongPlugin, type KongRoute } from './plugins.ts'
import { usersOf } from '../gateways/taken-route.ts'
import { takeProxy, type ProxyScope, type TakenProxy } from './proxies.ts'
import { isRoutePlugin, leaveRoutePlugin, takeGroupGuard } from './route-plugins.ts'
import { covers, isForSome, precision, ScopedPlugins } from './scopes.ts'
import type { KongMaking } from './target.ts'

export const kong: Importer = {
  title: 'Kong',
  sections: ['services', 'routes', 'plugins', 'consumers', 'consumer_groups'],
  parts: kongParts,
  implied: () => [],
  given: () => new Map(),
  take,
}

const isProxy = ({ name }: KongPlugin): boolean => name === 'ai-proxy' || name === 'ai-proxy-advanced'

function take(root: Foreign, draft: Draft, texts: ForeignTexts): void {
  const file = readKongFile(root)
  const names = new ModelNames()
  const making: KongMaking = {
    draft,
    texts,
    credentials: new ProviderCredentials(draft),
    upstreams: new SharedUpstreams(draft),
    embeddings: new EmbeddingRoutes(draft, names),
    guards: new Map(),
    templates: new Map(),
    transforms: new Map(),
  }
  const proxies = takeProxies(file, names, making)
  const callers = takeConsumers(root, draft, texts)
  for (const proxy of proxies) takeGrant(proxy, proxy.plugins, callers, draft)
  const users = usersOf(proxies)
  for (const plugin of file.plugins) {
    const using = users.get(plugin) ?? []
    const about = isForSome(plugin) ? proxies.filter((proxy) => isFor(plugin, proxy)) : using
    if (plugin.name === 'ai-rate-limiting-advanced') takeAiLimits(plugin, about, callers, draft)
    if (plugin.name === 'rate-limiting') takeRequestLimits(plugin, about, callers, draft)
    const isHeld = proxies.length > 0 && takeGroupGuard(plugin, callers.groups, making)
    leavePlugin(plugin, isHeld || using.length > 0)
  }
  for (const { whole } of file.routes) leave(whole, leftOfRoute)
  for (const [, whole] of file.services) leave(whole, leftOfService)
  leave(root, leftSections)
}

function takeProxies({ plugins, routes }: KongFile, names: ModelNames, making: KongMaking): readonly TakenProxy[] {
  const scoped = new ScopedPlugins(plugins)
  const [byName, byService] = [Map.groupBy(routes, ({ name }) => name), Map.groupBy(routes, ({ service }) => service)]
  return plugins.filter(isProxy).flatMap((plugin) => {
    if (isForSome(plugin)) {
      plugin.whole.left('models that only some ask for are for `grants`')
      return []
    }
    const { route: named, service } = plugin
    const near = named === undefined ? (service === undefined ? routes : byService.get(service)) : byName.get(named)
    const inScope = (near ?? []).filter((route) => covers(plugin, route))
    const isNearer = (other: KongPlugin): boolean => isProxy(other) && precision(other) > precision(plugin)
    const paths = inScope.filter((route) => !scoped.covering(route).some(isNearer))
    if (inScope.length > 0 && paths.length === 0) {
      plugin.whole.left('every route that it is for has a plugin of its own')
      return []
    }
    return takeProxy(plugin, scopesOf(plugin, paths, scoped), names, making)
  })
}

/** What says which words a route lets through and who may ask there: routes where this differs are different things here. */
const isTelling = ({ name }: KongPlugin): boolean => isRoutePlugin(name) || name === 'acl'

function scopesOf(plugin: KongPlugin, paths: readonly KongRoute[], plugins: ScopedPlugins): readonly ProxyScope[] {
  if (paths.length === 0) return [{ paths, plugins: plugins.nearest({ name: undefined, service: plugin.service }) }]
  const each = paths.map((path) => ({ path, nearest: plugins.nearest(path) }))
  const alike = Map.groupBy(each, ({ nearest }) => JSON.stringify(nearest.filter(isTelling).map(({ whole }) => whole.at)))
  return [...alike.values()].map((group) => ({
    paths: group.map(({ path }) => path),
    plugins: [...new Set(group.flatMap(({ nearest }) => nearest))],
  }))
}

/** Whether a plugin is for what was taken over of a proxy. */
function isFor(plugin: KongPlugin, proxy: TakenProxy): boolean {
  if (proxy.paths.length > 0) return proxy.paths.some((route) => covers(plugin, route))
  return plugin.route === undefined && (plugin.service === undefined || plugin.service === proxy.plugin.service)
}

const byName = 'models are found by their names here, wherever they were'

/** `isUsed`: it speaks at a model that was taken over. */
function leavePlugin(plugin: KongPlugin, isUsed: boolean): void {
  const { name, whole, get } = plugin
  if (isRoutePlugin(name)) leaveRoutePlugin(plugin, isUsed)
  if (name === 'ai-rate-limiting-advanced' || name === 'rate-limiting')
    for (const [key, why] of Object.entries(leftOfLimits)) get(key)?.left(why)
  if (name === 'key-auth' || name === 'acl') for (const [key, why] of Object.entries(leftOfAuthPlugin)) get(key)?.left(why)
  leave(whole, { route: byName, service: byName, _config: 'its values stand where they are used' })
  whole.left(
    isOurs(name)
      ? 'nothing here is like it'
      : `the plugin ${toldName(name)}: ${Object.hasOwn(leftPlugins, name) ? leftPlugins[name] : 'nothing here is like it'}`,
  )
}

function isOurs(name: string): boolean {
  return ['ai-proxy', 'ai-proxy-advanced', 'ai-rate-limiting-advanced', 'rate-limiting', 'key-auth', 'acl'].includes(name)
}
