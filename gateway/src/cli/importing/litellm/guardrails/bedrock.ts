/** `bedrock`: a guardrail of Amazon Bedrock. */
import type { DraftEntry } from '../../gateways/draft-entry.ts'
import { setImplied, setShaped } from '../../gateways/shaped-settings.ts'
import { awsCredentialOf } from '../credentials.ts'
import type { DeploymentContext } from '../deployment.ts'
import type { Guardrail, GuardrailKind } from './guardrail.ts'

const region = 'AWS_REGION_NAME'

export const bedrock: GuardrailKind = {
  take,
  implied: { aws_region_name: region },
  left: {
    disable_exception_on_block: 'an answer that is refused ends with the error of its dialect',
    aws_bedrock_runtime_endpoint: 'another address is for `url` of the guard',
    mask_request_content: 'what is masked is said by `mode`',
    mask_response_content: 'what is masked is said by `mode`',
    experimental_use_latest_role_message_only: 'all of a request is looked at, and a text that has passed is not sent again',
  },
}

function take(guardrail: Guardrail, context: DeploymentContext): readonly string[] {
  const { texts } = context
  const entry = guardrail.entry('bedrock-guardrails')
  setMasking(entry, guardrail)
  if (!setShaped(entry, 'region', 'awsRegion', guardrail.get('aws_region_name'), guardrail.name, texts))
    setImplied(entry, 'region', 'awsRegion', region, guardrail.name, texts, 'us-west-2')
  setShaped(entry, 'guardrail', 'awsGuardrail', guardrail.get('guardrailIdentifier'), guardrail.name, texts)
  setShaped(entry, 'version', 'awsGuardrailVersion', guardrail.get('guardrailVersion'), guardrail.name, texts)
  const credential = awsCredentialOf((key) => guardrail.get(key), guardrail.name, context)
  if (credential !== undefined) entry.set('credential', credential)
  const name = context.draft.add('guards', guardrail.name, entry)
  return name === undefined ? [] : [name]
}

/** Whether what was found is written otherwise; then it is on either side. */
export function setMasking(entry: DraftEntry, guardrail: Guardrail): void {
  for (const key of ['mask_request_content', 'mask_response_content']) {
    const from = guardrail.get(key)
    if (from?.flag() === true) entry.set('mode', 'redact', from)
  }
}
