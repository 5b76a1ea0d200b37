/** The guards that a plugin becomes: they are made once, however many routes list them. */
import { listGuards } from '../../gateways/listed-guards.ts'
import type { RoutePart } from '../../gateways/route-part.ts'
import type { ApisixMaking } from '../instance.ts'
import type { ApisixPlugin } from '../plugins.ts'

/** `make`: makes them, and returns their names. Undefined where there are none. */
export function guardPart({ config }: ApisixPlugin, { guards }: ApisixMaking, make: () => readonly string[]): RoutePart | undefined {
  const names = guards.get(config.at) ?? make()
  guards.set(config.at, names)
  return names.length === 0 ? undefined : listGuards(names)
}
