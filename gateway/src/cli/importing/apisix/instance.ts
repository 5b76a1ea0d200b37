/** A model that APISIX asks: the configuration of `ai-proxy`, or one of the instances of `ai-proxy-multi`. */
import { baseAddressOf } from '../gateways/base-address.ts'
import { awsCredential, googleCredential } from '../gateways/cloud-credentials.ts'
import type { Draft } from '../gateways/draft.ts'
import { DraftEntry } from '../gateways/draft-entry.ts'
import type { EmbeddingRoutes } from '../gateways/embedding-routes.ts'
import type { ForeignTexts } from '../gateways/foreign-text.ts'
import { leave, type Foreign } from '../gateways/foreign-value.ts'
import { setHeaderCredential } from '../gateways/header-credential.ts'
import { setHeader } from '../gateways/headers.ts'
import { plainName } from '../gateways/naming.ts'
import type { ProviderCredentials } from '../gateways/provider-credential.ts'
import { setShaped } from '../gateways/shaped-settings.ts'
import type { SharedUpstreams } from '../gateways/shared-upstreams.ts'
import { leftOfInstance } from './left-out.ts'
import { apisixProvider } from './providers.ts'

export interface ApisixMaking {
  readonly draft: Draft
  readonly texts: ForeignTexts
  readonly credentials: ProviderCredentials
  readonly upstreams: SharedUpstreams
  readonly embeddings: EmbeddingRoutes
  /** Plugin -> the guards that it became. */
  readonly guards: Map<string, readonly string[]>
  /** Plugin -> the templates that it became. */
  readonly templates: Map<string, readonly string[]>
}

export interface ApisixInstance {
  /** As limits name it. */
  readonly label: string
  readonly upstream: string
  /** What is sent as the model; `*` where clients say it. */
  readonly model: string
  readonly modelFrom: Foreign | undefined
  readonly weight: Foreign | undefined
  readonly priority: Foreign | undefined
  /** Sentences like those it is for. */
  readonly examples: Foreign | undefined
}

/** Undefined when it cannot be asked from here, which is then spoken of. `timeout`: of the plugin, in milliseconds. */
export function takeInstance(whole: Foreign, timeout: Foreign | undefined, making: ApisixMaking): ApisixInstance | undefined {
  const instance = taken(whole, timeout, making)
  leave(whole, leftOfInstance)
  return instance
}

function taken(whole: Foreign, timeout: Foreign | undefined, making: ApisixMaking): ApisixInstance | undefined {
  const providerFrom = whole.get('provider')
  const name = providerFrom?.text() ?? ''
  const provider = apisixProvider(name)
  if (provider === undefined || providerFrom === undefined) {
    whole.left(
      'there is no kind of upstream for this vendor; if it speaks Chat Completions, add an upstream of `kind: openai-compatible` by hand',
    )
    return undefined
  }
  const said = whole.get('name')
  const wanted = plainName(said?.text() ?? name)
  const entry = new DraftEntry()
  const place = setPlace(entry, provider.kind, provider.address, wanted, whole, making.texts)
  if (place === undefined) {
    whole.left('it does not say at which address the vendor is: add the upstream by hand')
    return undefined
  }
  entry.from(providerFrom, 'kind')
  if (said !== undefined) entry.from(said, '')
  const milliseconds = timeout?.number()
  if (timeout !== undefined && milliseconds !== undefined && milliseconds >= 1 && milliseconds <= 24 * 3600 * 1000)
    entry.set('timeout_ms', Math.round(milliseconds), timeout).set('idle_timeout_ms', Math.round(milliseconds), timeout)
  setCredential(entry, wanted, whole.get('auth'), making)
  const upstream = making.upstreams.take(wanted, entry)
  if (upstream === undefined) {
    whole.left('its upstream could not be taken over')
    return undefined
  }
  const option = whole.within('override', 'llm_options', 'model') ?? whole.within('options', 'model')
  const model = option === undefined ? undefined : making.texts.plain(option.text() ?? '')
  const sent = place.deployment ?? (model === undefined || model === '' ? undefined : model)
  return {
    label: said?.text() ?? `ai-proxy-${name}`,
    upstream,
    model: sent ?? '*',
    modelFrom: place.deployment === undefined ? option : undefined,
    weight: whole.get('weight'),
    priority: whole.get('priority'),
    examples: whole.get('examples'),
  }
}

export interface Place {
  /** Of Azure, where its address names one. */
  readonly deployment?: string | undefined
}

/** Sets where the vendor is; undefined when nothing says it. */
function setPlace(
  entry: DraftEntry,
  vendor: string,
  usual: string | undefined,
  owner: string,
  whole: Foreign,
  texts: ForeignTexts,
): Place | undefined {
  const endpoint = whole.within('override', 'endpoint')
  const text = endpoint?.text()
  const plain = text === undefined ? undefined : texts.plain(text)
  const isElsewhere = vendor === 'openai' && text !== undefined && !/^https:\/\/api\.openai\.com(?:[:/]|$)/.test(plain ?? '')
  const kind = isElsewhere ? 'openai-compatible' : vendor
  entry.set('kind', kind)
  if (kind === 'vertex') {
    setShaped(entry, 'project', 'googleProject', whole.within('provider_conf', 'project_id'), owner, texts)
    setShaped(entry, 'location', 'googleLocation', whole.within('provider_conf', 'region'), owner, texts)
    if (entry.value['project'] === undefined) return undefined
  }
  if (kind === 'bedrock') {
    setShaped(entry, 'region', 'awsRegion', whole.within('provider_conf', 'region'), owner, texts)
    if (entry.value['region'] === undefined) return undefined
  }
  if (endpoint === undefined || text === undefined) {
    if (usual !== undefined) entry.set('base_url', usual)
    return usual === undefined && (kind === 'openai-compatible' || kind === 'azure') ? undefined : {}
  }
  const { deployment } = setEndpoint(entry, endpoint, owner, texts)
  return kind === 'azure' ? { deployment } : {}
}

/** Sets the address of an upstream that has its kind, and of Azure the version. Returns the deployment that the address names. */
export function setEndpoint(entry: DraftEntry, endpoint: Foreign, owner: string, texts: ForeignTexts): Place {
  const kind = String(entry.value['kind'])
  const text = endpoint.text() ?? ''
  const plain = texts.plain(text)
  const [, path = text, query = ''] = /^([^?]*)\?(.*)$/s.exec(plain ?? text) ?? []
  const [, deployment] = /\/openai\/deployments\/([\w.-]{1,100})(?:\/|$)/.exec(path) ?? []
  const version = new URLSearchParams(query).get('api-version')
  const isAzure = kind === 'azure'
  if (isAzure && version !== null && /^\d{4}-\d{2}-\d{2}(?:-preview)?$/.test(version)) entry.set('api_version', version, endpoint)
  const address = isAzure && plain !== undefined ? path : (plain ?? text)
  const written = texts.address(plain === undefined ? text : baseAddressOf(kind, address), owner)
  entry.set('base_url', written.text, endpoint, written.why)
  return { deployment }
}

export function setCredential(entry: DraftEntry, owner: string, auth: Foreign | undefined, making: ApisixMaking): void {
  const kind = String(entry.value['kind'])
  if (kind === 'bedrock') return setAws(entry, owner, auth?.get('aws'), making)
  if (kind === 'vertex') return setGoogle(entry, owner, auth?.get('gcp'), making)
  const headers = auth?.get('header')?.entries() ?? []
  for (const [name, value] of headers)
    if (!setHeaderCredential(entry, owner, name.toLowerCase(), value, making)) setHeader(entry, name, value, owner, making.texts)
  const key = kind === 'gemini' ? auth?.within('query', 'key') : undefined
  if (key?.text() !== undefined && entry.value['credential'] === undefined) {
    const written = making.texts.secret(key.text() ?? '', owner, `${owner}_API_KEY`)
    const name = making.credentials.secret(written.text, key, written.why)
    if (name !== undefined) entry.set('credential', name)
  }
  auth?.get('query')?.left('a key is sent in a header here, and not in an address: add a credential by hand')
  if (entry.value['credential'] === undefined) entry.set('credential', 'none')
}

function setAws(entry: DraftEntry, owner: string, aws: Foreign | undefined, making: ApisixMaking): void {
  const keys = { id: aws?.get('access_key_id'), secret: aws?.get('secret_access_key'), session: aws?.get('session_token') }
  const name = awsCredential(keys, owner, making)
  if (name !== undefined) entry.set('credential', name)
}

function setGoogle(entry: DraftEntry, owner: string, gcp: Foreign | undefined, making: ApisixMaking): void {
  const name = googleCredential(gcp?.get('service_account_json'), owner, 'GCP_SERVICE_ACCOUNT', making)
  leave(gcp, { max_ttl: 'tokens are renewed before they expire', expire_early_secs: 'tokens are renewed before they expire' })
  if (name !== undefined) entry.set('credential', name)
}
