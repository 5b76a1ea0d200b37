/** `lakera` and `lakera_v2`: Lakera Guard, which is asked in its second version. */
import { setLakera } from '../../gateways/lakera.ts'
import type { DeploymentContext } from '../deployment.ts'
import type { Guardrail, GuardrailKind } from './guardrail.ts'

const asked = 'what Lakera is to answer is fixed here'
const key = 'LAKERA_API_KEY'

export const lakera: GuardrailKind = {
  take,
  implied: { api_key: key },
  left: {
    category_thresholds: 'from which score on something is found is said by the policy of the project',
    payload: asked,
    breakdown: asked,
    metadata: asked,
    dev_info: asked,
  },
}

const modes: Readonly<Record<string, string>> = { block: 'block', monitor: 'warn' }

function take(guardrail: Guardrail, context: DeploymentContext): readonly string[] {
  const entry = guardrail.entry('lakera')
  const flagged = guardrail.get('on_flagged')
  const mode = modes[flagged?.text() ?? '']
  if (mode !== undefined) entry.set('mode', mode, flagged)
  const said = guardrail.get('api_key')
  setLakera(entry, { url: guardrail.get('api_base'), key: said, project: guardrail.get('project_id') }, guardrail.name, context)
  if (said === undefined) {
    const name = context.credentials.secret(context.texts.variable(key, guardrail.name), undefined, undefined)
    if (name !== undefined) entry.set('credential', name)
  }
  const name = context.draft.add('guards', guardrail.name, entry)
  return name === undefined ? [] : [name]
}
