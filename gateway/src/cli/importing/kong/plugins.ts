/** The plugins of a decK file, each with what it is for, wherever the file has them. */
import type { Foreign } from '../gateways/foreign-value.ts'

export interface KongPlugin {
  readonly name: string
  readonly whole: Foreign
  /** A value of its configuration, or of the shared one that it names. */
  readonly get: (key: string) => Foreign | undefined
  readonly service: string | undefined
  readonly route: string | undefined
  readonly consumer: string | undefined
  readonly group: string | undefined
  /** What says its name and what it is for. */
  readonly said: readonly Foreign[]
}

export interface KongRoute {
  /** As plugins name it, or a name of ours where it has none. */
  readonly name: string
  readonly service: string | undefined
  readonly whole: Foreign
}

export interface KongFile {
  readonly plugins: readonly KongPlugin[]
  readonly services: readonly (readonly [string, Foreign])[]
  readonly routes: readonly KongRoute[]
}

type Scope = Partial<Pick<KongPlugin, 'service' | 'route' | 'consumer' | 'group'>>

/** Plugins that are switched off are spoken of, and left out. */
export function readKongFile(root: Foreign): KongFile {
  const shared = new Map(root.get('_plugin_configs')?.entries() ?? [])
  const plugins: KongPlugin[] = []
  const services: (readonly [string, Foreign])[] = []
  const routes: KongRoute[] = []
  const add = (owner: Foreign, scope: Scope): void => {
    for (const whole of owner.get('plugins')?.items() ?? []) {
      const plugin = pluginOf(whole, scope, shared)
      if (plugin !== undefined) plugins.push(plugin)
    }
  }
  const addRoute = (whole: Foreign, service: string | undefined): void => {
    const name = nameOf(whole) ?? `route-${routes.length + 1}`
    const route = { name, service: service ?? nameIn(whole.get('service')), whole }
    routes.push(route)
    add(whole, { route: name, service: route.service })
  }
  for (const whole of root.get('services')?.items() ?? []) {
    if (whole.get('enabled')?.flag() === false) {
      whole.left('it is switched off')
      continue
    }
    const name = nameOf(whole) ?? `service-${services.length + 1}`
    services.push([name, whole])
    add(whole, { service: name })
    for (const route of whole.get('routes')?.items() ?? []) addRoute(route, name)
  }
  for (const route of root.get('routes')?.items() ?? []) addRoute(route, undefined)
  for (const consumer of root.get('consumers')?.items() ?? []) add(consumer, { consumer: consumerName(consumer) })
  for (const group of root.get('consumer_groups')?.items() ?? []) add(group, { group: nameOf(group) })
  add(root, {})
  return { plugins, services, routes }
}

function pluginOf(whole: Foreign, scope: Scope, shared: ReadonlyMap<string, Foreign>): KongPlugin | undefined {
  const name = whole.get('name')?.text()
  if (name === undefined) return undefined
  if (whole.get('enabled')?.flag() === false) {
    whole.left('it is switched off')
    return undefined
  }
  const [own, other] = [whole.get('config'), shared.get(whole.get('_config')?.text() ?? '')]
  return {
    name,
    whole,
    get: (key) => own?.get(key) ?? other?.get(key),
    service: scope.service ?? nameIn(whole.get('service')),
    route: scope.route ?? nameIn(whole.get('route')),
    consumer: scope.consumer ?? nameIn(whole.get('consumer')),
    group: scope.group ?? nameIn(whole.get('consumer_group')),
    said: ['name', 'service', 'route', 'consumer', 'consumer_group'].flatMap((key) => whole.get(key) ?? []),
  }
}

/** What a consumer is called. */
export function consumerName(consumer: Foreign): string | undefined {
  return consumer.get('username')?.text() ?? consumer.get('custom_id')?.text()
}

/** Plugins name what they are for by a text, or by a map with its name. */
function nameIn(value: Foreign | undefined): string | undefined {
  return value?.text() ?? (value === undefined ? undefined : (nameOf(value) ?? consumerName(value)))
}

function nameOf(value: Foreign): string | undefined {
  return value.get('name')?.text() ?? value.get('id')?.text()
}
