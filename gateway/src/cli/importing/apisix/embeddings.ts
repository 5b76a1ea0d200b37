/** Models of embeddings, of a cache (`semantic.embedding`) and of a proxy (`embeddings`), as routes of ours. */
import { noCredential } from '../../../config/references.ts'
import { DraftEntry } from '../gateways/draft-entry.ts'
import { leave, type Foreign } from '../gateways/foreign-value.ts'
import { serviceKey } from '../gateways/service-key.ts'
import { setCredential, setEndpoint, type ApisixMaking } from './instance.ts'

export interface ApisixEmbeddings {
  /** As whoever compares calls it. */
  readonly name: string
  /** What says it. */
  readonly from: readonly Foreign[]
  /** In milliseconds. */
  readonly wait: Foreign | undefined
}

/** Undefined when nothing says which model is asked, and where. */
export function takeEmbeddings(embedding: Foreign | undefined, making: ApisixMaking): ApisixEmbeddings | undefined {
  const [openai, azure] = [embedding?.get('openai'), embedding?.get('azure_openai')]
  const said = openai ?? azure
  const endpoint = said?.get('endpoint')
  if (said === undefined || (azure !== undefined && endpoint === undefined)) return undefined
  const { entry, owner, deployment } = placeOf(openai === undefined, endpoint, making)
  const from = openai?.get('model')
  const model = deployment ?? making.texts.plain(from?.text() ?? '')
  if (model === undefined || model === '') return undefined
  entry.set('credential', serviceKey(said.get('api_key'), owner, making) ?? noCredential)
  const name = takeRoute(entry, owner, model, making)
  return name === undefined ? undefined : { name, from: [from ?? endpoint].filter((one) => one !== undefined), wait: said.get('timeout') }
}

/** The same of `embeddings` of a proxy. */
export function takeProxyEmbeddings(said: Foreign | undefined, making: ApisixMaking): ApisixEmbeddings | undefined {
  const [provider, endpoint, from] = [said?.get('provider'), said?.get('endpoint'), said?.get('model')]
  const isAzure = provider?.text() === 'azure-openai'
  if (said === undefined || provider === undefined || (!isAzure && provider.text() !== 'openai') || (isAzure && endpoint === undefined))
    return undefined
  const { entry, owner, deployment } = placeOf(isAzure, endpoint, making)
  entry.from(provider, 'kind')
  const model = deployment ?? making.texts.plain(from?.text() ?? '')
  if (model === undefined || model === '') return undefined
  setCredential(entry, owner, said.get('auth'), making)
  const name = takeRoute(entry, owner, model, making)
  leave(said, { ssl_verify: 'certificates are always looked at' })
  if (name === undefined) return undefined
  if (deployment !== undefined) from?.left('the deployment is what is sent')
  const sent = deployment === undefined ? from : endpoint
  return { name, from: sent === undefined ? [] : [sent], wait: said.get('timeout') }
}

interface EmbeddingPlace {
  readonly entry: DraftEntry
  readonly owner: string
  readonly deployment: string | undefined
}

function placeOf(isAzure: boolean, endpoint: Foreign | undefined, making: ApisixMaking): EmbeddingPlace {
  const isElsewhere = endpoint?.text() !== undefined && !/^https:\/\/api\.openai\.com(?:[:/]|$)/.test(endpoint.text() ?? '')
  const kind = isAzure ? 'azure' : isElsewhere ? 'openai-compatible' : 'openai'
  const owner = kind === 'openai-compatible' ? 'embeddings' : kind
  const entry = new DraftEntry().set('kind', kind)
  const { deployment } = endpoint === undefined ? {} : setEndpoint(entry, endpoint, owner, making.texts)
  return { entry, owner, deployment }
}

/** What the route of the model is called. */
function takeRoute(entry: DraftEntry, owner: string, model: string, making: ApisixMaking): string | undefined {
  const upstream = making.upstreams.take(owner, entry)
  return upstream === undefined ? undefined : making.embeddings.take(upstream, model)
}
