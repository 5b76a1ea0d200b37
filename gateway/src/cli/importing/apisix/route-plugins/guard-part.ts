/** The guards that a plugin becomes: they are made once, however many routes list them. */
import { listNames } from '../../gateways/listed-names.ts'
import type { RoutePart } from '../../gateways/route-part.ts'
import type { ApisixMaking } from '../instance.ts'
import type { ApisixPlugin } from '../plugins.ts'

/** `make`: makes them, and returns their names. Undefined where there are none. */
export function guardPart({ config }: ApisixPlugin, { guards }: ApisixMaking, make: () => readonly string[]): RoutePart | undefined {
  const names = guards.get(config.at) ?? make()
  guards.set(config.at, names)
  return names.length === 0 ? undefined : listNames('guards', names)
}

const refusals = 'a refusal names the guard, in the way of each vendor'

/** What plugins do with traffic that they cannot read, and how they refuse. */
export const leftOfGuard: Readonly<Record<string, string>> = {
  fail_mode: 'what cannot be read is refused',
  deny_code: refusals,
  deny_message: refusals,
  request_failure_message: refusals,
  response_failure_message: refusals,
  reveal_failure_categories: refusals,
  ssl_verify: 'certificates are always looked at',
}
