/** `model_armor`: Model Armor of Google Cloud. */
import { setFailing } from '../../gateways/guard-settings.ts'
import { setImplied, setShaped } from '../../gateways/shaped-settings.ts'
import { googleCredentialOf } from '../credentials.ts'
import type { DeploymentContext } from '../deployment.ts'
import { setMasking } from './bedrock.ts'
import type { Guardrail, GuardrailKind } from './guardrail.ts'

const project = 'GOOGLE_CLOUD_PROJECT'

export const modelArmor: GuardrailKind = {
  take,
  implied: { project_id: project },
  left: {
    api_endpoint: 'another address is for `url` of the guard',
    mask_request_content: 'what is masked is said by `mode`',
    mask_response_content: 'what is masked is said by `mode`',
  },
}

function take(guardrail: Guardrail, context: DeploymentContext): readonly string[] {
  const { texts } = context
  const entry = guardrail.entry('model-armor')
  setMasking(entry, guardrail)
  setFailing(entry, guardrail.get('fail_on_error'), false)
  if (!setShaped(entry, 'project', 'googleProject', guardrail.get('project_id'), guardrail.name, texts))
    setImplied(entry, 'project', 'googleProject', project, guardrail.name, texts)
  if (!setShaped(entry, 'location', 'googleLocation', guardrail.get('location'), guardrail.name, texts))
    entry.set('location', 'us-central1')
  setShaped(entry, 'template', 'googleTemplate', guardrail.get('template_id'), guardrail.name, texts)
  const credential = googleCredentialOf(guardrail.get('credentials'), guardrail.name, context)
  if (credential !== undefined) entry.set('credential', credential)
  const name = context.draft.add('guards', guardrail.name, entry)
  return name === undefined ? [] : [name]
}
