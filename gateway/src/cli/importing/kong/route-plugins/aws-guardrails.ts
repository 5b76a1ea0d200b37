/** `ai-aws-guardrails`: a guardrail of Amazon Bedrock. */
import { awsCredential } from '../../gateways/cloud-credentials.ts'
import type { RoutePart } from '../../gateways/route-part.ts'
import { setImplied, setShaped } from '../../gateways/shaped-settings.ts'
import { assumedRole } from '../left-out.ts'
import type { KongPlugin } from '../plugins.ts'
import type { KongMaking } from '../target.ts'
import { askingGuard, leftOfAskingGuard } from './asking-guard.ts'
import { oneGuard } from './guard-part.ts'

export function askAws(plugin: KongPlugin, owner: string, making: KongMaking): RoutePart | undefined {
  const { get } = plugin
  const { texts } = making
  return oneGuard(plugin, `${owner}-guardrail`, making, (wanted) => {
    const entry = askingGuard('bedrock-guardrails', plugin)
    if (!setShaped(entry, 'region', 'awsRegion', get('aws_region'), wanted, texts))
      setImplied(entry, 'region', 'awsRegion', 'AWS_REGION', wanted, texts)
    setShaped(entry, 'guardrail', 'awsGuardrail', get('guardrails_id'), wanted, texts)
    setShaped(entry, 'version', 'awsGuardrailVersion', get('guardrails_version'), wanted, texts)
    const credential = awsCredential({ id: get('aws_access_key_id'), secret: get('aws_secret_access_key') }, wanted, making)
    return credential === undefined ? entry : entry.set('credential', credential)
  })
}

export const leftOfAws: Readonly<Record<string, string>> = {
  ...leftOfAskingGuard,
  aws_assume_role_arn: assumedRole,
  aws_role_session_name: assumedRole,
  aws_sts_endpoint_url: assumedRole,
  allow_masking: 'say `mode: redact` at the guard for what the guardrail masks',
}
