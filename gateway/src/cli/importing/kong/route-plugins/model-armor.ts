/** `ai-gcp-model-armor`: Model Armor of Google Cloud. */
import { googleCredential } from '../../gateways/cloud-credentials.ts'
import type { RoutePart } from '../../gateways/route-part.ts'
import { setShaped } from '../../gateways/shaped-settings.ts'
import type { KongPlugin } from '../plugins.ts'
import type { KongMaking } from '../target.ts'
import { askingGuard, leftOfAskingGuard } from './asking-guard.ts'
import { oneGuard } from './guard-part.ts'

export function askModelArmor(plugin: KongPlugin, owner: string, making: KongMaking): RoutePart | undefined {
  const { get } = plugin
  const { texts } = making
  return oneGuard(plugin, `${owner}-model-armor`, making, (wanted) => {
    const entry = askingGuard('model-armor', plugin)
    setShaped(entry, 'project', 'googleProject', get('project_id'), wanted, texts)
    setShaped(entry, 'location', 'googleLocation', get('location_id'), wanted, texts)
    setShaped(entry, 'template', 'googleTemplate', get('template_id'), wanted, texts)
    const credential = googleCredential(get('gcp_service_account_json'), wanted, 'GCP_SERVICE_ACCOUNT_JSON', making)
    return credential === undefined ? entry : entry.set('credential', credential)
  })
}

const language = 'which languages are looked at is said by the template'

export const leftOfModelArmor: Readonly<Record<string, string>> = {
  ...leftOfAskingGuard,
  gcp_use_service_account: 'which credential is used is said by `google`',
  enable_multi_language_detection: language,
  source_language: language,
}
