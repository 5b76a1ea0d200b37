/** `ai-lakera-guard`: Lakera Guard. */
import { setLakera } from '../../gateways/lakera.ts'
import type { RoutePart } from '../../gateways/route-part.ts'
import type { KongPlugin } from '../plugins.ts'
import type { KongMaking } from '../target.ts'
import { askingGuard, leftOfAskingGuard } from './asking-guard.ts'
import { oneGuard } from './guard-part.ts'

export function askLakera(plugin: KongPlugin, owner: string, making: KongMaking): RoutePart | undefined {
  const { get } = plugin
  return oneGuard(plugin, `${owner}-lakera`, making, (wanted) => {
    const entry = askingGuard('lakera', plugin)
    setLakera(entry, { url: get('lakera_service_url'), key: get('api_key'), project: get('project_id') }, wanted, making)
    return entry
  })
}

export const leftOfLakera: Readonly<Record<string, string>> = {
  ...leftOfAskingGuard,
  verify_ssl: 'certificates are always looked at',
}
