/** Sampling is a hint: what a model would refuse the whole call for is left out. */
import type { HubRequest } from './conversation.ts'
import { refusesSampling, takesOneSampling } from './model-families.ts'

/** Temperature, `top_p` and `top_k` as far as the model takes them. The temperature counts where only one may be given. */
export function acceptedSampling({ model, temperature, topP, topK }: HubRequest): Pick<HubRequest, 'temperature' | 'topP' | 'topK'> {
  if (refusesSampling(model)) return { temperature: undefined, topP: undefined, topK: undefined }
  return { temperature, topP: temperature !== undefined && takesOneSampling(model) ? undefined : topP, topK }
}
