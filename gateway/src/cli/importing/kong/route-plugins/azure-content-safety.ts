/** `ai-azure-content-safety`: Content Safety of Azure. */
import { takeContentSafety } from '../../gateways/azure-content-safety.ts'
import { setServiceUrl } from '../../gateways/guard-settings.ts'
import type { RoutePart } from '../../gateways/route-part.ts'
import { serviceKey } from '../../gateways/service-key.ts'
import { setShaped } from '../../gateways/shaped-settings.ts'
import type { KongPlugin } from '../plugins.ts'
import type { KongMaking } from '../target.ts'
import { askingGuard, leftOfAskingGuard } from './asking-guard.ts'
import { guardPart } from './guard-part.ts'

const endpoint = /\/contentsafety\/text:analyze\/?$/
const noKey = 'tokens of Azure are not fetched here: write a guard of `kind: azure-content-safety` with a credential that is a key'

export function askContentSafety(plugin: KongPlugin, owner: string, making: KongMaking): RoutePart | undefined {
  const { get } = plugin
  const wanted = `${owner}-content-safety`
  return guardPart(plugin, making, () => {
    const [url, key] = [get('content_safety_url'), get('content_safety_key')]
    if (url?.text() === undefined || key?.text() === undefined) {
      plugin.whole.left(url === undefined ? 'it does not say where the service is' : noKey)
      return []
    }
    const credential = serviceKey(key, wanted, making)
    if (credential === undefined) return []
    const categories = (get('categories')?.items() ?? []).flatMap((item) => {
      const said = item.get('name')
      const name = said?.text()
      return said === undefined || name === undefined ? [] : [{ name, said, severity: item.get('rejection_level') }]
    })
    const make = () => {
      const entry = askingGuard('azure-content-safety', plugin).set('credential', credential)
      setServiceUrl(entry, url, endpoint, wanted, making.texts)
      setShaped(entry, 'api_version', 'azureVersion', get('azure_api_version'), wanted, making.texts)
      return entry
    }
    return takeContentSafety(wanted, { categories, usual: 4, blocklists: get('blocklist_names'), make }, making.draft)
  })
}

export const leftOfContentSafety: Readonly<Record<string, string>> = {
  ...leftOfAskingGuard,
  azure_use_managed_identity: noKey,
  azure_client_id: noKey,
  azure_client_secret: noKey,
  azure_tenant_id: noKey,
  halt_on_blocklist_hit: 'what is in a block list is found beside what is in a category',
  output_type: 'severities have four levels here: 0, 2, 4, 6',
}
