/** `ai-lakera-guard`: Lakera Guard. */
import { DraftEntry } from '../../gateways/draft-entry.ts'
import { setFailing, setSide, setWait, type Side } from '../../gateways/guard-settings.ts'
import { setLakera } from '../../gateways/lakera.ts'
import type { RoutePart } from '../../gateways/route-part.ts'
import type { ApisixMaking } from '../instance.ts'
import type { ApisixPlugin } from '../plugins.ts'
import { guardPart } from './guard-part.ts'

/** What is looked at. */
const directions: Readonly<Record<string, Side>> = { input: 'input', output: 'output', both: 'both' }

const actions: Readonly<Record<string, string>> = { block: 'block', alert: 'warn' }

export function askLakera(plugin: ApisixPlugin, owner: string, making: ApisixMaking): RoutePart | undefined {
  const { config } = plugin
  const wanted = `${owner}-lakera`
  return guardPart(plugin, making, () => {
    const entry = new DraftEntry().set('kind', 'lakera')
    setSide(entry, config.get('direction'), directions, 'input')
    const action = config.get('action')
    const mode = Object.hasOwn(actions, action?.text() ?? '') ? actions[action?.text() ?? ''] : undefined
    if (mode !== undefined) entry.set('mode', mode, action)
    setFailing(entry, config.get('fail_open'), true)
    setWait(entry, config.get('timeout'), 1)
    setLakera(entry, { url: config.get('lakera_endpoint'), key: config.get('api_key'), project: config.get('project_id') }, wanted, making)
    const name = making.draft.add('guards', wanted, entry)
    return name === undefined ? [] : [name]
  })
}
