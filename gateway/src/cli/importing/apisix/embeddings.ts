/** `semantic.embedding` of a cache: the model that it compares questions with, as a route of ours. */
import { noCredential } from '../../../config/references.ts'
import { DraftEntry } from '../gateways/draft-entry.ts'
import type { Foreign } from '../gateways/foreign-value.ts'
import { serviceKey } from '../gateways/service-key.ts'
import { setEndpoint, type ApisixMaking } from './instance.ts'

export interface ApisixEmbeddings {
  /** As a cache calls it. */
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
  const isElsewhere = endpoint?.text() !== undefined && !/^https:\/\/api\.openai\.com(?:[:/]|$)/.test(endpoint.text() ?? '')
  const kind = openai === undefined ? 'azure' : isElsewhere ? 'openai-compatible' : 'openai'
  const owner = kind === 'openai-compatible' ? 'embeddings' : kind
  const entry = new DraftEntry().set('kind', kind)
  const place = endpoint === undefined ? {} : setEndpoint(entry, endpoint, owner, making.texts)
  const from = openai?.get('model')
  const model = place.deployment ?? making.texts.plain(from?.text() ?? '')
  if (model === undefined || model === '') return undefined
  entry.set('credential', serviceKey(said.get('api_key'), owner, making) ?? noCredential)
  const upstream = making.upstreams.take(owner, entry)
  const name = upstream === undefined ? undefined : making.embeddings.take(upstream, model)
  return name === undefined ? undefined : { name, from: [from ?? endpoint].filter((one) => one !== undefined), wait: said.get('timeout') }
}
