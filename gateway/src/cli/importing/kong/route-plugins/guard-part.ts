/** The guards that a plugin becomes: they are made once, however many routes list them. */
import type { DraftEntry } from '../../gateways/draft-entry.ts'
import { listNames } from '../../gateways/listed-names.ts'
import type { RoutePart } from '../../gateways/route-part.ts'
import type { KongPlugin } from '../plugins.ts'
import type { KongMaking } from '../target.ts'

/** `make`: makes them, and returns their names. Undefined where there are none. */
export function guardPart({ whole }: KongPlugin, { guards }: KongMaking, make: () => readonly string[]): RoutePart | undefined {
  const names = guards.get(whole.at) ?? make()
  guards.set(whole.at, names)
  return names.length === 0 ? undefined : listNames('guards', names)
}

/** The same of a plugin that becomes one guard. `wanted`: what it may be called, for `make` too. */
export function oneGuard(
  plugin: KongPlugin,
  wanted: string,
  making: KongMaking,
  make: (wanted: string) => DraftEntry | undefined,
): RoutePart | undefined {
  return guardPart(plugin, making, () => {
    const entry = make(wanted)
    const name = entry === undefined ? undefined : making.draft.add('guards', wanted, entry)
    return name === undefined ? [] : [name]
  })
}
