/** The plugins of APISIX's file, each with the routes that it is for, wherever the file has them. */
import type { Foreign } from '../gateways/foreign-value.ts'

export interface ApisixRoute {
  /** What it is called, or its id. */
  readonly name: string
  readonly whole: Foreign
}

export interface ApisixPlugin {
  readonly name: string
  readonly config: Foreign
  /** Undefined: it is for every route. */
  readonly routes: readonly ApisixRoute[] | undefined
  /** The name of the consumer, or the id of the group, it is for. */
  readonly consumer: string | undefined
  readonly group: string | undefined
}

/** Whether a plugin is for some callers only. */
export function isForSome({ consumer, group }: ApisixPlugin): boolean {
  return consumer !== undefined || group !== undefined
}

export interface ApisixFile {
  readonly plugins: readonly ApisixPlugin[]
  readonly routes: readonly ApisixRoute[]
}

/** Routes and plugins that are switched off are spoken of, and left out. */
export function readApisixFile(root: Foreign): ApisixFile {
  const routes: ApisixRoute[] = []
  for (const whole of root.get('routes')?.items() ?? []) {
    if (whole.get('status')?.number() === 0) whole.left('it is switched off')
    else routes.push({ name: whole.get('name')?.text() ?? whole.get('id')?.text() ?? `route-${routes.length + 1}`, whole })
  }
  const plugins: ApisixPlugin[] = []
  const add = (owner: Foreign, scope: Pick<ApisixPlugin, 'routes'> & Partial<ApisixPlugin>): void => {
    for (const [name, config] of owner.get('plugins')?.entries() ?? []) {
      if (config.within('_meta', 'disable')?.flag() === true) config.left('it is switched off')
      else plugins.push({ consumer: undefined, group: undefined, ...scope, name, config })
    }
  }
  for (const route of routes) add(route.whole, { routes: [route] })
  const owners = { plugin_config: ownersOf(root, routes, 'plugin_config'), service: ownersOf(root, routes, 'service') }
  // What is nearer to a route takes the place of what is further away.
  const isNearer = (route: ApisixRoute, name: string, kinds: readonly 'plugin_config'[]): boolean =>
    route.whole.within('plugins', name) !== undefined || kinds.some((kind) => owners[kind].of(route)?.within('plugins', name) !== undefined)
  for (const [kind, nearer] of [
    ['plugin_config', []],
    ['service', ['plugin_config']],
  ] as const) {
    for (const owner of root.get(`${kind}s`)?.items() ?? []) {
      const users = owners[kind].users(owner)
      for (const [name, config] of owner.get('plugins')?.entries() ?? []) {
        const left = users.filter((route) => !isNearer(route, name, nearer))
        if (left.length === 0) config.left(users.length === 0 ? 'no route uses it' : 'every route that it is for has one of its own')
        else plugins.push({ name, config, routes: left, consumer: undefined, group: undefined })
      }
    }
  }
  for (const consumer of root.get('consumers')?.items() ?? []) add(consumer, { routes: undefined, consumer: consumerName(consumer) })
  for (const group of root.get('consumer_groups')?.items() ?? []) add(group, { routes: undefined, group: group.get('id')?.text() })
  for (const rule of root.get('global_rules')?.items() ?? []) add(rule, { routes: undefined })
  return { plugins, routes }
}

interface Owners {
  readonly of: (route: ApisixRoute) => Foreign | undefined
  readonly users: (owner: Foreign) => readonly ApisixRoute[]
}

/** Which service, or which shared plugins, each route names by its id: the first that has it. */
function ownersOf(root: Foreign, routes: readonly ApisixRoute[], kind: 'plugin_config' | 'service'): Owners {
  const byId = new Map<string, Foreign>()
  for (const owner of root.get(`${kind}s`)?.items() ?? []) {
    const id = owner.get('id')?.text()
    if (id !== undefined && !byId.has(id)) byId.set(id, owner)
  }
  const of = ({ whole }: ApisixRoute): Foreign | undefined => {
    const id = whole.get(`${kind}_id`)?.text()
    return id === undefined ? undefined : byId.get(id)
  }
  const users = Map.groupBy(routes, (route) => of(route)?.at)
  return { of, users: ({ at }) => users.get(at) ?? [] }
}

/** The plugins for everybody, found by the routes at which they speak, in their order. */
export class SpeakingPlugins {
  readonly everywhere: readonly ApisixPlugin[]
  readonly #order: ReadonlyMap<ApisixPlugin, number>
  readonly #ofRoutes = new Map<ApisixRoute, ApisixPlugin[]>()

  constructor(plugins: readonly ApisixPlugin[]) {
    const general = plugins.filter((plugin) => !isForSome(plugin))
    this.everywhere = general.filter(({ routes }) => routes === undefined)
    this.#order = new Map(general.map((plugin, at) => [plugin, at]))
    for (const plugin of general)
      for (const route of plugin.routes ?? []) this.#ofRoutes.set(route, [...(this.#ofRoutes.get(route) ?? []), plugin])
  }

  at(route: ApisixRoute): readonly ApisixPlugin[] {
    const place = (plugin: ApisixPlugin): number => this.#order.get(plugin) ?? 0
    return [...(this.#ofRoutes.get(route) ?? []), ...this.everywhere].toSorted((one, other) => place(one) - place(other))
  }
}

/** What a consumer is called; credentials stand in the same list, as `<name>/credentials/<id>`. */
export function consumerName(consumer: Foreign): string | undefined {
  return consumer.get('username')?.text() ?? /^([^/]+)\/credentials\/[^/]+$/.exec(consumer.get('id')?.text() ?? '')?.[1]
}
