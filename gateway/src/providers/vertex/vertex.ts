/** Gemini on Google Cloud's Vertex AI: project and location are in the path, an access token of Google Cloud in the header. */
import type { UpstreamConfig } from '@turnward/contract/config'
import { TurnwardError } from '../../core/error.ts'
import { pathSegment } from '../path-segment.ts'
import type { PlaceTarget, Provider } from '../provider.ts'
import { signWithBearer } from '../signing.ts'

const models = 'publishers/google/models'

export const vertex: Provider = {
  telemetryName: 'gcp.vertex_ai',
  dialects: { gemini: { path: models, countPath: models } },
  place,
  sign: signWithBearer,
  forwardedHeaders: [],
  returnedHeaders: ['retry-after'],
  requestIdHeaders: ['x-request-id'],
}

function place({ spoken, config, operation }: PlaceTarget, model: string, stream: boolean): string {
  const asked = operation === 'count' ? 'countTokens' : stream ? 'streamGenerateContent?alt=sse' : 'generateContent'
  return `${projectPath(config)}/${spoken.path}/${pathSegment(model)}:${asked}`
}

function projectPath(config: UpstreamConfig): string {
  if (config.kind !== 'vertex') throw new TurnwardError('gateway.internal', { why: `${config.kind} has no project` })
  return `/v1/projects/${pathSegment(config.project)}/locations/${pathSegment(config.location)}`
}
