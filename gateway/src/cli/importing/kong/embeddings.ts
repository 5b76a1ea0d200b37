/** `embeddings` of a plugin: the model that it compares texts with, as an upstream of ours. */
import { providers } from '../../../providers/providers.ts'
import { leave, type Foreign } from '../gateways/foreign-value.ts'
import { leftOfAuth, leftOfOptions } from './left-out.ts'
import { kongProvider } from './providers.ts'
import { takeTarget, type KongMaking } from './target.ts'

export interface KongEmbeddings {
  readonly upstream: string
  readonly model: string
  /** What says the model. */
  readonly from: Foreign
}

const noTimes = { connect: undefined, read: undefined, failures: undefined, cooldown: undefined }

/** Undefined when it cannot be asked from here, which is then spoken of. */
export function takeEmbeddings(embeddings: Foreign | undefined, making: KongMaking): KongEmbeddings | undefined {
  if (embeddings === undefined) return undefined
  const kind = kongProvider(embeddings.within('model', 'provider')?.text())?.kind
  const [, provider] = Object.entries(providers).find(([name]) => name === kind) ?? []
  if (typeof provider?.operations?.embeddings !== 'string') {
    embeddings.left('an upstream that has embeddings in the form of OpenAI is needed: add one, and name it')
    return undefined
  }
  const target = takeTarget((key) => embeddings.get(key), embeddings, noTimes, making)
  leave(embeddings.get('auth'), leftOfAuth)
  leave(embeddings.within('model', 'options'), leftOfOptions)
  if (target === undefined) return undefined
  if (target.modelFrom === undefined || target.model === '*') {
    embeddings.left('it does not say which model is asked')
    return undefined
  }
  return { upstream: target.upstream, model: target.model, from: target.modelFrom }
}
