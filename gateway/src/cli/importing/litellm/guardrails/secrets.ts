/** `hide-secrets`: keys and tokens, which the gateway finds by itself. */
import type { DeploymentContext } from '../deployment.ts'
import type { Guardrail, GuardrailKind } from './guardrail.ts'

export const secrets: GuardrailKind = {
  take,
  left: { detect_secrets_config: 'which formats are looked for is said by `formats`, and each is known by its form' },
}

function take(guardrail: Guardrail, { draft }: DeploymentContext): readonly string[] {
  const name = draft.add('guards', guardrail.name, guardrail.entry('secrets').set('mode', 'redact'))
  return name === undefined ? [] : [name]
}
