/** `config.yaml` of the LiteLLM proxy. Its keys, users and teams are in its database, which is not read. */
import type { Draft } from '../gateways/draft.ts'
import type { ForeignTexts } from '../gateways/foreign-text.ts'
import { leave, type Foreign } from '../gateways/foreign-value.ts'
import type { Importer } from '../gateways/importer.ts'
import { ProviderCredentials } from '../gateways/provider-credential.ts'
import { SharedUpstreams } from '../gateways/shared-upstreams.ts'
import { takeBudgets } from './budgets.ts'
import { cachePart } from './cache.ts'
import { impliedVariable } from './credentials.ts'
import { takeDeployment, type DeploymentContext } from './deployment.ts'
import { impliedByGuardrails, takeGuardrails } from './guardrails.ts'
import { leftOut, leftSections } from './left-out.ts'
import { takeMasterKey } from './master-key.ts'
import { Parameters } from './parameters.ts'
import { litellmParts } from './parts.ts'
import { takeRoutes } from './routes.ts'

export const litellm: Importer = {
  title: 'LiteLLM',
  sections: ['model_list', 'litellm_settings', 'router_settings', 'general_settings', 'guardrails'],
  parts: litellmParts,
  implied: (root) => [
    ...(root.get('model_list')?.items() ?? []).flatMap((item) => impliedVariable(new Parameters(item, sharedCredentials(root)))),
    ...impliedByGuardrails(root.get('guardrails')),
  ],
  given: (root) => new Map(root.get('environment_variables')?.entries() ?? []),
  take,
}

function take(root: Foreign, draft: Draft, texts: ForeignTexts): void {
  const [settings, router, general] = ['litellm_settings', 'router_settings', 'general_settings'].map((section) => root.get(section))
  const context: DeploymentContext = {
    draft,
    texts,
    credentials: new ProviderCredentials(draft),
    shared: sharedCredentials(root),
    timeouts: timeoutsOf(router, settings),
    breaker: {
      failures: router?.get('allowed_fails') ?? settings?.get('allowed_fails'),
      more: 1,
      cooldown: router?.get('cooldown_time'),
      milliseconds: 1000,
    },
    upstreams: new SharedUpstreams(draft),
  }
  const deployments = (root.get('model_list')?.items() ?? []).flatMap((item) => {
    const deployment = takeDeployment(item, context)
    return deployment === undefined ? [] : [deployment]
  })
  const guards = takeGuardrails(root.get('guardrails'), context)
  const part = cachePart(settings, (wanted) => deployments.some(({ name }) => name === wanted))
  takeRoutes(deployments, [router, settings], { part, guards }, draft)
  takeBudgets(settings, general, draft)
  takeMasterKey(general?.get('master_key'), draft, texts)
  for (const [section, reasons] of Object.entries(leftOut)) leave(root.get(section), reasons)
  leave(root, leftSections)
  root.note(
    'Keys, users and teams are in the database of LiteLLM: make keys with `turnward keys create`, and say under `grants` who may use which models.',
  )
}

/** `credential_name` -> `credential_values`. */
function sharedCredentials(root: Foreign): ReadonlyMap<string, Foreign> {
  const found = new Map<string, Foreign>()
  for (const item of root.get('credential_list')?.items() ?? []) {
    const name = item.get('credential_name')
    const values = item.get('credential_values')
    if (name?.text() === undefined || values === undefined) continue
    found.set(name.text() ?? '', values)
    leave(item, { credential_info: 'a credential has no description here' })
    name.left('credentials are called after the variables that hold them')
  }
  return found
}

function timeoutsOf(router: Foreign | undefined, settings: Foreign | undefined): DeploymentContext['timeouts'] {
  const timeout = router?.get('timeout') ?? settings?.get('request_timeout')
  const streamed = router?.get('stream_timeout')
  return { ...(timeout !== undefined && { timeout_ms: timeout }), ...(streamed !== undefined && { idle_timeout_ms: streamed }) }
}
