/** `guardrails`: what is looked at on the way to models and back. Each becomes a guard here, or several. */
import { leave, type Foreign } from '../gateways/foreign-value.ts'
import { plainName, toldName } from '../gateways/naming.ts'
import type { DeploymentContext } from './deployment.ts'
import { azureShield, azureText } from './guardrails/azure.ts'
import { bedrock } from './guardrails/bedrock.ts'
import { contentFilter } from './guardrails/content-filter.ts'
import { Guardrail, type GuardrailKind } from './guardrails/guardrail.ts'
import { lakera } from './guardrails/lakera.ts'
import { modelArmor } from './guardrails/model-armor.ts'
import { moderation } from './guardrails/moderation.ts'
import { presidio } from './guardrails/presidio.ts'
import { secrets } from './guardrails/secrets.ts'

const table: Readonly<Record<string, GuardrailKind>> = {
  presidio,
  lakera,
  lakera_v2: lakera,
  bedrock,
  'azure/text_moderations': azureText,
  'azure/prompt_shield': azureShield,
  model_armor: modelArmor,
  openai_moderation: moderation,
  'hide-secrets': secrets,
  litellm_content_filter: contentFilter,
}

/** What is no kind of guard here, and what to use. */
const others: Readonly<Record<string, string>> = {
  llm_as_a_judge: 'write a guard of `kind: judge`',
  tool_permission: 'which tools may be called is for `contracts`, `rules` and `grants`',
  mcp_security: 'which tools may be called is for `contracts`, `rules` and `grants`',
  generic_guardrail_api: 'write a guard of `kind: webhook`, for an endpoint that speaks as docs/guards.md says',
}
const elsewhere =
  'no guard here asks it: put an endpoint in front of it that speaks as docs/guards.md says, and write a guard of `kind: webhook`'
const general: Readonly<Record<string, string>> = {
  default_on: 'no request chooses its guards here',
  violation_message_template: 'a refusal names the guard, in the way of each vendor',
}

/** Name of a guardrail -> the guards that it became. */
export type TakenGuardrails = ReadonlyMap<string, readonly string[]>

export function takeGuardrails(list: Foreign | undefined, context: DeploymentContext): TakenGuardrails {
  const taken = new Map<string, readonly string[]>()
  for (const item of list?.items() ?? []) {
    const name = item.get('guardrail_name')?.text()
    const kind = kindOf(item)
    let isTaken = false
    const guardrail = new Guardrail(item, plainName(name ?? 'guardrail'))
    if (kind === undefined) leaveOther(item)
    else if (!guardrail.isAsked) guardrail.left('it looks at nothing that goes to a model or comes from one')
    else if (name !== undefined && taken.has(name)) guardrail.left('another guardrail has its name')
    else {
      const names = kind.take(guardrail, context)
      if (name !== undefined) taken.set(name, names)
      isTaken = names.length > 0
    }
    leave(item, { guardrail_info: 'a guard has no description here' })
    leave(item.get('litellm_params'), { ...general, ...kind?.left })
    item.left(isTaken ? 'nothing here is like it' : 'no guard became of it')
  }
  return taken
}

/** Variables that guardrails read without the file naming them. */
export function impliedByGuardrails(list: Foreign | undefined): readonly string[] {
  return (list?.items() ?? []).flatMap((item) =>
    Object.entries(kindOf(item)?.implied ?? {}).flatMap(([key, variable]) =>
      item.within('litellm_params', key) === undefined ? [variable] : [],
    ),
  )
}

function kindOf(item: Foreign): GuardrailKind | undefined {
  const kind = item.within('litellm_params', 'guardrail')?.text() ?? ''
  return Object.hasOwn(table, kind) ? table[kind] : undefined
}

function leaveOther(item: Foreign): void {
  const kind = item.within('litellm_params', 'guardrail')?.text()
  const why = kind !== undefined && Object.hasOwn(others, kind) ? others[kind] : elsewhere
  item.left(`the guardrail ${toldName(kind)}: ${why}`)
}
