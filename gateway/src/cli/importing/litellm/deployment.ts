/** One entry of `model_list`: an upstream, its credential, its price and its limits, and a place in the route of its name. */
import type { Draft } from '../gateways/draft.ts'
import { DraftEntry } from '../gateways/draft-entry.ts'
import type { ForeignTexts } from '../gateways/foreign-text.ts'
import { leave, type Foreign } from '../gateways/foreign-value.ts'
import { setHeader } from '../gateways/headers.ts'
import type { ProviderCredentials } from '../gateways/provider-credential.ts'
import type { SharedUpstreams } from '../gateways/shared-upstreams.ts'
import { setBreaker, type ForeignBreaker } from '../gateways/breaker.ts'
import { setAddress } from './addresses.ts'
import { setCredential } from './credentials.ts'
import { limitsOf, takeLimits } from './deployment-limits.ts'
import { takePrice } from './deployment-price.ts'
import { Parameters } from './parameters.ts'
import { askedModel } from './providers.ts'

export interface Deployment {
  /** The name that clients ask for, and where it stands. */
  readonly name: string
  readonly nameFrom: Foreign
  readonly upstream: string
  /** As the vendor calls it, and where it stands. */
  readonly model: string
  readonly modelFrom: Foreign
  /** Lower ones are asked first. */
  readonly order: Foreign | undefined
  /** Names of guardrails that look at it. */
  readonly guardrails: readonly Foreign[]
  /** What it is weighed by beside others of its name. */
  readonly weights: Readonly<Record<'weight' | 'rpm' | 'tpm', Foreign | undefined>>
}

export interface DeploymentContext {
  readonly draft: Draft
  readonly texts: ForeignTexts
  readonly credentials: ProviderCredentials
  /** `credential_name` -> `credential_values`. */
  readonly shared: ReadonlyMap<string, Foreign>
  /** Seconds that hold for every deployment that has none of its own, by the setting they become. */
  readonly timeouts: Readonly<Partial<Record<'timeout_ms' | 'idle_timeout_ms', Foreign>>>
  readonly breaker: ForeignBreaker
  readonly upstreams: SharedUpstreams
}

const unknownVendor =
  'there is no kind of upstream for this vendor; if it speaks Chat Completions, add an upstream of `kind: openai-compatible` by hand'
const leftParameters = {
  weight: 'deployments of its name are not chosen among by chance, or there is one',
  order: 'there is one deployment of this name',
  max_retries: 'how often something is asked again is said of a route: `retries`',
  num_retries: 'how often something is asked again is said of a route: `retries`',
  guardrails: 'no guardrail of this name was taken over',
  tags: 'routes are found by the name of the model',
  mock_response: 'an upstream of `kind: scripted` answers without a vendor',
  budget_duration: 'there is no budget beside it',
}
const asWritten = 'LiteLLM adds it to requests; here they go out as their clients wrote them'

/** Undefined when it cannot be taken over, which is then spoken of. */
export function takeDeployment(item: Foreign, context: DeploymentContext): Deployment | undefined {
  const deployment = taken(item, context)
  leave(item.get('litellm_params'), leftParameters)
  item.get('litellm_params')?.left(asWritten)
  item.get('model_info')?.left('what a model is like is not said in the configuration here')
  return deployment
}

function taken(item: Foreign, context: DeploymentContext): Deployment | undefined {
  const nameFrom = item.get('model_name')
  const name = nameFrom?.text()
  const parameters = new Parameters(item, context.shared)
  const modelFrom = parameters.get('model')
  const text = modelFrom === undefined ? undefined : context.texts.plain(modelFrom.text() ?? '')
  if (nameFrom === undefined || name === undefined || modelFrom === undefined || text === undefined) {
    item.left('it has no model, or only a variable says which')
    return undefined
  }
  const custom = parameters.get('custom_llm_provider')
  const asked = askedModel(text, custom?.text())
  if (asked === undefined) {
    item.left(
      text === '*'
        ? 'which vendor is asked is guessed from each name; write a route for each vendor: `{ model: "gpt-*", upstreams: [openai] }`'
        : unknownVendor,
    )
    return undefined
  }
  const entry = new DraftEntry()
  const owner = setAddress(entry, asked.provider.kind, parameters, context.texts)
  if (owner === undefined) {
    item.left('it does not say at which address the vendor is: add the upstream by hand')
    return undefined
  }
  entry.from(
    modelFrom,
    'kind',
    asked.way === undefined || asked.way === 'converse'
      ? undefined
      : `\`${asked.way}\` says how LiteLLM asks; here that is for the upstream`,
  )
  if (custom !== undefined) entry.from(custom, 'kind')
  if (asked.way === 'responses') entry.set('speaks', 'responses')
  setHeaders(entry, owner, parameters, context)
  setTimeouts(entry, parameters, context)
  setBreaker(entry, context.breaker)
  const limits = limitsOf(parameters, item)
  const limitNamed = (wanted: string): Foreign | undefined => limits.find((limit) => limit.name === wanted)?.limit
  setCredential(entry, owner, asked.provider, parameters, context)
  // One with limits is an upstream by itself: its limits are counted there.
  const upstream = context.upstreams.take(owner, entry, limits.length > 0)
  if (upstream === undefined) {
    item.left('its upstream could not be taken over')
    return undefined
  }
  takeLimits(limits, upstream, context.draft)
  takePrice(asked.model, upstream, parameters, item, context.draft)
  return {
    name,
    nameFrom,
    upstream,
    model: asked.model,
    modelFrom,
    order: parameters.get('order'),
    guardrails: parameters.get('guardrails')?.items() ?? [],
    weights: { weight: parameters.get('weight'), rpm: limitNamed('rpm'), tpm: limitNamed('tpm') },
  }
}

function setHeaders(entry: DraftEntry, owner: string, parameters: Parameters, { texts }: DeploymentContext): void {
  for (const key of ['extra_headers', 'headers'])
    for (const [name, value] of parameters.get(key)?.entries() ?? []) setHeader(entry, name, value, owner, texts)
  const organization = parameters.get('organization')
  if (organization === undefined) return
  const kind = String(entry.value['kind'])
  if (organization.text() !== undefined && (kind === 'openai' || kind === 'openai-compatible'))
    setHeader(entry, 'OpenAI-Organization', organization, owner, texts)
  else organization.left('write an upstream for each organisation, with the header `OpenAI-Organization`')
}

const timeouts = {
  timeout_ms: ['timeout', 'it is for the time until an answer begins, not for all of it'],
  idle_timeout_ms: ['stream_timeout', 'it is for the longest silence within an answer'],
} as const

function setTimeouts(entry: DraftEntry, parameters: Parameters, context: DeploymentContext): void {
  for (const setting of ['timeout_ms', 'idle_timeout_ms'] as const) {
    const [key, why] = timeouts[setting]
    const from = parameters.get(key) ?? context.timeouts[setting]
    const milliseconds = Math.round((from?.number() ?? Number.NaN) * 1000)
    if (from === undefined) continue
    if (milliseconds >= 1 && milliseconds <= 24 * 3600 * 1000) entry.set(setting, milliseconds, from, why)
    else from.left('it is no length of time between a millisecond and a day')
  }
}
