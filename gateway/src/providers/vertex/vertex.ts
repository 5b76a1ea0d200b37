/**
 * Google Cloud's Vertex AI: Gemini, and Messages for Anthropic's models. Project, location and model are in the path, an access token
 * of Google Cloud in the header.
 */
import type { UpstreamConfig } from '@turnward/contract/config'
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { pathSegment } from '../path-segment.ts'
import type { PlaceTarget, Provider } from '../provider.ts'
import { signWithBearer } from '../signing.ts'

const gemini = 'publishers/google/models'
const anthropic = 'publishers/anthropic/models'

export const vertex: Provider = {
  telemetryName: 'gcp.vertex_ai',
  dialects: {
    gemini: { path: gemini, countPath: gemini, serves: (model) => !isClaude(model) },
    messages: { path: anthropic, serves: isClaude, form: rawForm },
  },
  place,
  sign: signWithBearer,
  forwardedHeaders: ['anthropic-beta'],
  returnedHeaders: ['retry-after', 'request-id'],
  requestIdHeaders: ['request-id', 'x-request-id'],
}

/** Its models are named as Anthropic names them, with `@` before a date. */
function isClaude(model: string): boolean {
  return model.startsWith('claude')
}

/** The model is in the path; the version, a header elsewhere, is a field. */
function rawForm({ model: _model, ...body }: JsonObject): JsonObject {
  return { ...body, anthropic_version: 'vertex-2023-10-16' }
}

function place({ spoken, config, operation }: PlaceTarget, model: string, stream: boolean): string {
  if (config.kind !== 'vertex') throw new TurnwardError('gateway.internal', { why: `${config.kind} has no project` })
  const asked = spoken.path === anthropic ? (stream ? 'streamRawPredict' : 'rawPredict') : geminiOperation(operation, stream)
  // The one character of these names that needs no other spelling in a path.
  const name = pathSegment(model).replaceAll('%40', '@')
  return `${projectPath(config)}/${spoken.path}/${name}:${asked}`
}

function geminiOperation(operation: PlaceTarget['operation'], stream: boolean): string {
  if (operation === 'count') return 'countTokens'
  return stream ? 'streamGenerateContent?alt=sse' : 'generateContent'
}

function projectPath({ project, location }: UpstreamConfig & { readonly kind: 'vertex' }): string {
  return `/v1/projects/${pathSegment(project)}/locations/${pathSegment(location)}`
}
