/** A route of a gateway that finds models by paths, as it was taken over: what limits, guards and grants of theirs are about here. */

export interface TakenRoute {
  /** What clients ask for here. */
  readonly names: readonly string[]
  readonly upstreams: readonly { readonly name: string; readonly label: string }[]
}

/** Which calls something of theirs is about: the names of the models, and the upstreams that they call so. */
export function matchOf(
  routes: readonly TakenRoute[],
  label?: string,
): { readonly models: readonly string[]; readonly upstreams?: readonly string[] } | undefined {
  const about = routes.filter(({ upstreams }) => label === undefined || upstreams.some((upstream) => upstream.label === label))
  const models = [...new Set(about.flatMap(({ names }) => names))]
  if (models.length === 0) return undefined
  if (label === undefined) return { models }
  const upstreams = about.flatMap((route) => route.upstreams.filter((upstream) => upstream.label === label).map(({ name }) => name))
  return { models, upstreams: [...new Set(upstreams)] }
}

/** Plugin -> what was taken over at which it speaks. */
export function usersOf<Plugin, Proxy extends { readonly plugins: readonly Plugin[] }>(
  proxies: readonly Proxy[],
): ReadonlyMap<Plugin, readonly Proxy[]> {
  const users = new Map<Plugin, Proxy[]>()
  for (const proxy of proxies)
    for (const plugin of proxy.plugins) {
      const known = users.get(plugin)
      if (known === undefined) users.set(plugin, [proxy])
      else known.push(proxy)
    }
  return users
}
