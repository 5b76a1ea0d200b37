/** `apisix.yaml` of the stand-alone mode, with the AI plugins of APISIX. */
import type { Draft } from '../gateways/draft.ts'
import { EmbeddingRoutes } from '../gateways/embedding-routes.ts'
import type { ForeignTexts } from '../gateways/foreign-text.ts'
import { leave, type Foreign } from '../gateways/foreign-value.ts'
import type { Importer } from '../gateways/importer.ts'
import { ModelNames } from '../gateways/model-names.ts'
import { toldName } from '../gateways/naming.ts'
import { ProviderCredentials } from '../gateways/provider-credential.ts'
import { SharedUpstreams } from '../gateways/shared-upstreams.ts'
import { usersOf } from '../gateways/taken-route.ts'
import { takeConsumers, takeGrant } from './consumers.ts'
import type { ApisixMaking } from './instance.ts'
import { leftOfConsumer, leftOfKeyAuth, leftOfLimits, leftOfRoute, leftPlugins, leftSections } from './left-out.ts'
import { takeRequestLimit, takeTokenLimits } from './limits.ts'
import { apisixParts } from './parts.ts'
import { isForSome, readApisixFile, SpeakingPlugins, type ApisixPlugin, type ApisixRoute } from './plugins.ts'
import { takeProxy, type ProxyScope } from './proxies.ts'
import { isRoutePlugin, leaveRoutePlugin, takeGroupGuard } from './route-plugins.ts'

export const apisix: Importer = {
  title: 'APISIX',
  sections: ['routes', 'services', 'consumers', 'plugin_configs', 'global_rules'],
  parts: apisixParts,
  implied: () => [],
  given: () => new Map(),
  take,
}

const isProxy = ({ name }: ApisixPlugin): boolean => name === 'ai-proxy' || name === 'ai-proxy-multi'

function take(root: Foreign, draft: Draft, texts: ForeignTexts): void {
  const { plugins, routes } = readApisixFile(root)
  const names = new ModelNames()
  const making: ApisixMaking = {
    draft,
    texts,
    credentials: new ProviderCredentials(draft),
    upstreams: new SharedUpstreams(draft),
    embeddings: new EmbeddingRoutes(draft, names),
    guards: new Map(),
    templates: new Map(),
  }
  const speaking = new SpeakingPlugins(plugins)
  const proxies = plugins.filter(isProxy).flatMap((plugin) => {
    if (!isForSome(plugin)) return takeProxy(plugin, scopesOf(plugin.routes ?? routes, speaking), names, making)
    plugin.config.left('models that only some ask for are for `grants`')
    return []
  })
  const callers = takeConsumers(root, draft, texts)
  for (const proxy of proxies) takeGrant(proxy, proxy.plugins, callers, draft)
  const users = usersOf(proxies)
  for (const plugin of plugins) {
    const using = users.get(plugin) ?? []
    const about = plugin.routes === undefined ? proxies : using
    if (plugin.name === 'ai-rate-limiting') takeTokenLimits(plugin, about, callers, draft)
    if (plugin.name === 'limit-count') takeRequestLimit(plugin, about, callers, draft)
    const isHeld = proxies.length > 0 && takeGroupGuard(plugin, callers.groups, making)
    leavePlugin(plugin, isHeld || using.length > 0)
  }
  for (const { whole } of routes) leaveRoute(whole)
  for (const section of ['services', 'plugin_configs', 'global_rules'])
    for (const whole of root.get(section)?.items() ?? []) {
      leave(whole, { ...leftOfConsumer, name: 'routes have the names of models here' })
      leave(whole, leftOfRoute)
    }
  leave(root, leftSections)
}

/** What says which words a route lets through and who may ask there: routes where this differs are different things here. */
const isTelling = ({ name }: ApisixPlugin): boolean => isRoutePlugin(name) || name === 'consumer-restriction'

function scopesOf(routes: readonly ApisixRoute[], plugins: SpeakingPlugins): readonly ProxyScope[] {
  if (routes.length === 0) return [{ routes, plugins: plugins.everywhere }]
  const each = routes.map((route) => ({ route, speaking: plugins.at(route) }))
  const alike = Map.groupBy(each, ({ speaking }) => JSON.stringify(speaking.filter(isTelling).map(({ config }) => config.at)))
  return [...alike.values()].map((group) => ({
    routes: group.map(({ route }) => route),
    plugins: [...new Set(group.flatMap(({ speaking }) => speaking))],
  }))
}

function leaveRoute(whole: ApisixRoute['whole']): void {
  leave(whole, leftOfRoute)
  if (whole.get('plugins') === undefined && whole.get('service_id') === undefined) whole.left('it asks no model')
}

const unknownCallers = 'they were not taken over: those who are only let in with them may not ask for anything'

/** `isUsed`: it speaks at a model that was taken over. */
function leavePlugin(plugin: ApisixPlugin, isUsed: boolean): void {
  const { name, config } = plugin
  if (isRoutePlugin(name)) leaveRoutePlugin(plugin, isUsed)
  const isLimit = name === 'ai-rate-limiting' || name === 'limit-count'
  const reasons = isLimit ? leftOfLimits : name === 'key-auth' ? leftOfKeyAuth : {}
  leave(config, reasons)
  const ours = ['ai-proxy', 'ai-proxy-multi', 'consumer-restriction']
  if (name === 'consumer-restriction') leave(config, { type: unknownCallers, whitelist: unknownCallers, blacklist: unknownCallers })
  if (name === 'key-auth') config.left('a key is sent as `authorization: Bearer` or `x-api-key`; who may ask for what is said by `grants`')
  config.left(
    isLimit || ours.includes(name)
      ? 'nothing here is like it'
      : `the plugin ${toldName(name)}: ${Object.hasOwn(leftPlugins, name) ? leftPlugins[name] : 'nothing here is like it'}`,
  )
}
