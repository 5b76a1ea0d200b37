/** A model that Kong asks: the configuration of `ai-proxy`, or one of the targets of `ai-proxy-advanced`. */
import { setBreaker } from '../gateways/breaker.ts'
import { baseAddressOf } from '../gateways/base-address.ts'
import type { Draft } from '../gateways/draft.ts'
import { DraftEntry } from '../gateways/draft-entry.ts'
import type { EmbeddingRoutes } from '../gateways/embedding-routes.ts'
import { literal, type ForeignTexts } from '../gateways/foreign-text.ts'
import type { Foreign } from '../gateways/foreign-value.ts'
import type { ProviderCredentials } from '../gateways/provider-credential.ts'
import { setImplied, setShaped, type Form } from '../gateways/shaped-settings.ts'
import type { SharedUpstreams } from '../gateways/shared-upstreams.ts'
import { kongProvider, type KongProvider } from './providers.ts'
import { setCredential } from './target-credential.ts'

export interface KongMaking {
  readonly draft: Draft
  readonly texts: ForeignTexts
  readonly credentials: ProviderCredentials
  readonly upstreams: SharedUpstreams
  readonly embeddings: EmbeddingRoutes
  /** Plugin -> the guards that it became. */
  readonly guards: Map<string, readonly string[]>
  /** Plugin -> the templates that it became. */
  readonly templates: Map<string, readonly string[]>
  /** Plugin -> the transforms that it became. */
  readonly transforms: Map<string, readonly string[]>
}

export interface KongTarget {
  readonly provider: string
  readonly upstream: string
  /** What is sent as the model; `*` where clients say it. */
  readonly model: string
  readonly modelFrom: Foreign | undefined
  /** What clients ask for, where it has a name of its own. */
  readonly alias: Foreign | undefined
  readonly weight: Foreign | undefined
  /** What it is for, in words. */
  readonly description: Foreign | undefined
}

/** What `balancer` says of the time that may pass, in milliseconds. */
export interface KongTimes {
  readonly connect: Foreign | undefined
  readonly read: Foreign | undefined
  /** Failures after which a target is left alone, and for how long. */
  readonly failures: Foreign | undefined
  readonly cooldown: Foreign | undefined
}

/** A name that is a part of the request. */
const ofRequest = /^\$\([\w.-]{1,100}\)$/

type Get = (key: string) => Foreign | undefined

/** Undefined when it cannot be asked from here, which is then spoken of. */
export function takeTarget(get: Get, whole: Foreign, times: KongTimes, making: KongMaking): KongTarget | undefined {
  const model = get('model')
  const options = model?.get('options')
  const providerFrom = model?.get('provider')
  const providerName = providerFrom?.text() ?? ''
  const provider = kongProvider(providerName)
  if (provider === undefined || providerFrom === undefined) {
    whole.left(
      'there is no kind of upstream for this vendor; if it speaks Chat Completions, add an upstream of `kind: openai-compatible` by hand',
    )
    return undefined
  }
  const said = model?.get('name')?.text() ?? ''
  if (said.includes('$(') && !ofRequest.test(said)) {
    whole.left('the name of its model is put together from parts of a request')
    return undefined
  }
  const entry = new DraftEntry()
  const owner = setPlace(entry, provider, providerName, options, making.texts)
  if (owner === undefined) {
    whole.left('it does not say at which address the vendor is: add the upstream by hand')
    return undefined
  }
  entry.from(providerFrom, 'kind')
  setTimes(entry, times)
  setBreaker(entry, { failures: times.failures, cooldown: times.cooldown, milliseconds: 1 })
  setCredential(entry, owner, get('auth'), options, making)
  const upstream = making.upstreams.take(owner, entry)
  if (upstream === undefined) {
    whole.left('its upstream could not be taken over')
    return undefined
  }
  const deployment = options?.get('azure_deployment_id') ?? options?.within('azure', 'deployment_id')
  const name = deployment ?? model?.get('name')
  const sent = name === undefined ? undefined : making.texts.plain(name.text() ?? '')
  const isAsked = sent === undefined || sent === '' || ofRequest.test(sent)
  if (deployment !== undefined) model?.get('name')?.left('the deployment is what is sent')
  const target = {
    provider: providerName,
    upstream,
    model: isAsked ? '*' : sent,
    modelFrom: name,
    alias: model?.get('model_alias'),
    weight: get('weight'),
    description: get('description'),
  }
  takePrice(target, options, making.draft)
  return target
}

/** Sets where the vendor is. Returns a name for the upstream; undefined when nothing says it. */
function setPlace(
  entry: DraftEntry,
  { kind: plainKind, isHosted }: KongProvider,
  name: string,
  options: Foreign | undefined,
  texts: ForeignTexts,
): string | undefined {
  const url = options?.get('upstream_url')
  const text = url?.text()
  const plain = text === undefined ? undefined : texts.plain(text)
  const isElsewhere = text !== undefined && plainKind === 'openai' && !/^https:\/\/api\.openai\.com(?:[:/]|$)/.test(plain ?? '')
  const isVertex = plainKind === 'gemini' && options?.within('gemini', 'project_id') !== undefined
  const kind = isElsewhere ? 'openai-compatible' : isVertex ? 'vertex' : plainKind
  const owner = kind === 'openai-compatible' ? name : kind
  entry.set('kind', kind)
  if (kind === 'azure') {
    const named = setAzure(entry, options, texts, url === undefined)
    if (named === undefined && url === undefined) return undefined
    if (named !== undefined && url === undefined) return named
  }
  if (url !== undefined && text !== undefined) {
    const written = texts.address(plain === undefined ? text : baseAddressOf(kind, plain), owner)
    entry.set('base_url', written.text, url, written.why)
  } else if (name === 'dashscope') setDashscope(entry, options)
  else if (isHosted === true) return undefined
  if (kind === 'bedrock') setKnown(entry, 'region', 'awsRegion', options?.within('bedrock', 'aws_region'), 'AWS_REGION', owner, texts)
  if (isVertex) {
    setKnown(entry, 'project', 'googleProject', options.within('gemini', 'project_id'), 'GCP_PROJECT_ID', owner, texts)
    setKnown(entry, 'location', 'googleLocation', options.within('gemini', 'location_id'), 'GCP_LOCATION_ID', owner, texts)
    options.within('gemini', 'api_endpoint')?.left('the address follows from the location')
  }
  return owner
}

function setAzure(entry: DraftEntry, options: Foreign | undefined, texts: ForeignTexts, isPlace: boolean): string | undefined {
  const azure = options?.get('azure')
  setShaped(entry, 'api_version', 'azureVersion', options?.get('azure_api_version') ?? azure?.get('api_version'), 'azure', texts)
  const instance = options?.get('azure_instance') ?? azure?.get('instance')
  const text = instance?.text()
  if (instance === undefined || text === undefined || !isPlace) return undefined
  const written = texts.shaped('instance', /^[a-z][a-z0-9-]{1,40}$/, text, 'azure', 'not-known-yet')
  entry.set('base_url', `https://${written.text}.openai.azure.com`, instance, written.why)
  // What does not look like a name has become a variable, and is not to be read in a name either.
  return written.text === texts.plain(text) ? `azure-${written.text}` : 'azure'
}

function setDashscope(entry: DraftEntry, options: Foreign | undefined): void {
  const international = options?.within('dashscope', 'international')
  const host = international?.flag() === false ? 'dashscope' : 'dashscope-intl'
  entry.set('base_url', `https://${host}.aliyuncs.com/compatible-mode/v1`, international)
}

/** `variable`: what says it where the file does not. */
function setKnown(
  entry: DraftEntry,
  setting: string,
  form: Form,
  from: Foreign | undefined,
  variable: string,
  owner: string,
  texts: ForeignTexts,
): void {
  if (!setShaped(entry, setting, form, from, owner, texts)) setImplied(entry, setting, form, variable, owner, texts)
}

function setTimes(entry: DraftEntry, { connect, read }: KongTimes): void {
  const milliseconds = (from: Foreign | undefined): number | undefined => {
    const number = from?.number()
    if (number !== undefined && number >= 1 && number <= 24 * 3600 * 1000) return Math.round(number)
    from?.left('it is no length of time between a millisecond and a day')
    return undefined
  }
  const [toConnect, toRead] = [milliseconds(connect), milliseconds(read)]
  if (toConnect !== undefined) entry.set('connect_timeout_ms', toConnect, connect)
  if (toRead === undefined) return
  entry.set('timeout_ms', toRead, read)
  entry.set('idle_timeout_ms', toRead, read)
}

const rates = { input: 'input_cost', output: 'output_cost' } as const

/** Kong's prices are for a million tokens too. */
function takePrice({ upstream, model }: KongTarget, options: Foreign | undefined, draft: Draft): void {
  const entry = new DraftEntry().set('models', [literal(model)]).set('upstreams', [upstream])
  const said = Object.entries(rates).flatMap(([setting, key]) => {
    const from = options?.get(key)
    const price = from?.number()
    return from === undefined || price === undefined ? [] : [[setting, price, from] as const]
  })
  if (said.length === 0) return
  if (!said.some(([setting]) => setting === 'input')) entry.set('input', 0)
  for (const [setting, price, from] of said) entry.set(setting, price, from)
  draft.push('prices', entry)
}
