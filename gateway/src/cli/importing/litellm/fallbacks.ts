/** Which deployments are asked when all of one name fail. */
import type { Foreign } from '../gateways/foreign-value.ts'
import type { Deployment } from './deployment.ts'

export interface Fallback {
  readonly deployments: readonly Deployment[]
  /** What says so. */
  readonly from: Foreign
}

/** By the name that fails. `sections`: where fallbacks may stand, the ones that count first. */
export function fallbacksOf(
  groups: ReadonlyMap<string, readonly Deployment[]>,
  sections: readonly (Foreign | undefined)[],
): ReadonlyMap<string, readonly Fallback[]> {
  const found = new Map<string, Fallback[]>()
  const isSaid = new Set<string>()
  const add = (name: string, target: Foreign): void => {
    const deployments = groups.get(target.text() ?? '')
    if (deployments === undefined || !groups.has(name)) return target.left('no model of that name was taken over')
    found.set(name, [...(found.get(name) ?? []), { deployments, from: target }])
  }
  for (const section of sections) {
    const list = section?.get('fallbacks')
    const here = new Set<string>()
    for (const item of list?.items() ?? [])
      for (const [name, targets] of item.entries()) {
        if (isSaid.has(name)) continue
        here.add(name)
        for (const target of targets.items()) add(name, target)
      }
    for (const name of here) isSaid.add(name)
    list?.left('another setting says what is asked then')
  }
  const general = sections.map((section) => section?.get('default_fallbacks')).find((list) => list !== undefined)
  for (const target of general?.items() ?? []) {
    for (const name of groups.keys()) if (!isSaid.has(name) && name !== target.text()) add(name, target)
  }
  return found
}

export interface ContextFallback {
  readonly deployment: Deployment
  readonly from: Foreign
}

/** Who is asked for what is too long for a name: the first deployment of the first that is named. */
export function contextFallbacksOf(
  groups: ReadonlyMap<string, readonly Deployment[]>,
  sections: readonly (Foreign | undefined)[],
): ReadonlyMap<string, ContextFallback> {
  const found = new Map<string, ContextFallback>()
  for (const section of sections) {
    const list = section?.get('context_window_fallbacks')
    for (const item of list?.items() ?? [])
      for (const [name, targets] of item.entries())
        for (const from of targets.items()) {
          const deployment = groups.get(from.text() ?? '')?.[0]
          if (deployment === undefined || !groups.has(name)) from.left('no model of that name was taken over')
          else if (found.has(name)) from.left('one upstream is asked then, and it is another one')
          else found.set(name, { deployment, from })
        }
  }
  return found
}
