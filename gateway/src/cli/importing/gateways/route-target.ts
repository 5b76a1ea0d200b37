/** An upstream of a route, as it is written there. */
import type { Share } from './shares.ts'
import { literal } from './foreign-text.ts'

/** `model`: as the vendor calls it; `name`: what clients ask the route for. A `*` stands for what the one of the name has matched. */
export function routeTarget(
  upstream: string,
  model: string,
  name: string,
  share: Share & { readonly examples?: readonly string[] } = {},
): unknown {
  const stars = (text: string): number => text.split('*').length - 1
  if (model === name && stars(name) === 0) return Object.keys(share).length === 0 ? upstream : { upstream, ...share }
  // A star that the name does not have would be sent as it is.
  return { upstream, model: literal(stars(name) === 1 || stars(model) === 0 ? model : model.replaceAll('*', '')), ...share }
}
