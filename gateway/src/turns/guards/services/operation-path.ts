/** Where an upstream has an operation in OpenAI's form. */
import type { Guard } from '../../../config/snapshot.ts'
import { pathSegment } from '../../../providers/path-segment.ts'
import { providers } from '../../../providers/providers.ts'
import { ServiceFailure } from '../examiner.ts'

export function operationPath({ service }: Guard, operation: 'embeddings' | 'moderations', model: string): string {
  const config = service?.config
  const place = config === undefined ? undefined : providers[config.kind].operations?.[operation]
  if (config === undefined || typeof place !== 'string') throw new ServiceFailure(`its upstream has no ${operation} in the form of OpenAI`)
  if (place.includes('{model}')) return place.replace('{model}', () => pathSegment(model))
  return providers[config.kind].place?.({ spoken: { path: place }, config }, model, false) ?? place
}
