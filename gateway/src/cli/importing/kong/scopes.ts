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

/** The plugins for everybody that speak at a route: of each name the nearest. */
export function nearestAt(plugins: readonly KongPlugin[], route: Pick<KongRoute, 'name' | 'service'>): readonly KongPlugin[] {
  const nearest = new Map<string, KongPlugin>()
  for (const plugin of plugins) {
    if (isForSome(plugin) || !covers(plugin, route)) continue
    const known = nearest.get(plugin.name)
    if (known === undefined || precision(plugin) > precision(known)) nearest.set(plugin.name, plugin)
  }
  return plugins.filter((plugin) => nearest.get(plugin.name) === plugin)
}

/** The same where no route is in the file: what is for the service, or for everything. */
export function nearestWithout(plugins: readonly KongPlugin[], service: string | undefined): readonly KongPlugin[] {
  return nearestAt(
    plugins.filter(({ route }) => route === undefined),
    { name: '', service },
  )
}
