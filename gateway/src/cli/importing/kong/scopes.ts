/** Which plugins speak for which routes: of those with one name, Kong runs the one that is nearest to a route. */
import type { KongPlugin, KongRoute } from './plugins.ts'

/** Whether a plugin is for some callers only. */
export function isForSome({ consumer, group }: KongPlugin): boolean {
  return consumer !== undefined || group !== undefined
}

export function covers(plugin: KongPlugin, { name, service }: Pick<KongRoute, 'name' | 'service'>): boolean {
  return (plugin.route === undefined || plugin.route === name) && (plugin.service === undefined || plugin.service === service)
}

/** How near a plugin is to the routes that it covers. */
export function precision({ route, service }: KongPlugin): number {
  return route !== undefined ? 2 : service !== undefined ? 1 : 0
}

type Numbered = readonly [at: number, plugin: KongPlugin]

/** The plugins of a file, found by what they are for: those of a route without a look at those of all the others. */
export class ScopedPlugins {
  readonly #ofRoutes = new Map<string, Numbered[]>()
  readonly #ofServices = new Map<string, Numbered[]>()
  readonly #general: Numbered[] = []

  constructor(plugins: readonly KongPlugin[]) {
    for (const [at, plugin] of plugins.entries()) this.#listFor(plugin).push([at, plugin])
  }

  /** Those that are for a route, in their order. Without a name: those that are for all of a service, or for everything. */
  covering({ name, service }: { readonly name: string | undefined; readonly service: string | undefined }): readonly KongPlugin[] {
    return [
      ...(name === undefined ? [] : (this.#ofRoutes.get(name) ?? [])),
      ...(service === undefined ? [] : (this.#ofServices.get(service) ?? [])),
      ...this.#general,
    ]
      .filter(([, plugin]) => plugin.service === undefined || plugin.service === service)
      .toSorted(([one], [other]) => one - other)
      .map(([, plugin]) => plugin)
  }

  /** The plugins for everybody that speak at a route: of each name the nearest. */
  nearest(route: { readonly name: string | undefined; readonly service: string | undefined }): readonly KongPlugin[] {
    const covering = this.covering(route).filter((plugin) => !isForSome(plugin))
    const nearest = new Map<string, KongPlugin>()
    for (const plugin of covering) {
      const known = nearest.get(plugin.name)
      if (known === undefined || precision(plugin) > precision(known)) nearest.set(plugin.name, plugin)
    }
    return covering.filter((plugin) => nearest.get(plugin.name) === plugin)
  }

  #listFor({ route, service }: KongPlugin): Numbered[] {
    if (route === undefined && service === undefined) return this.#general
    const [lists, name] = route === undefined ? [this.#ofServices, service ?? ''] : [this.#ofRoutes, route]
    const list = lists.get(name) ?? []
    lists.set(name, list)
    return list
  }
}
