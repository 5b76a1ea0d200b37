/** Azure OpenAI: the undated API at `/openai/v1`, or a deployment under a dated version; a key of the resource, or a token of Entra ID. */
import { openaiHeaders, operationsBeside } from '../openai-like.ts'
import { pathSegment } from '../path-segment.ts'
import { secretOf } from '../signing.ts'
import type { PlaceTarget, Provider, UnsignedRequest } from '../provider.ts'
import type { Credential } from '../../core/credential.ts'

export const azure: Provider = {
  telemetryName: 'azure.ai.openai',
  showsVendorRuns: true,
  dialects: { 'chat-completions': { path: '/openai/v1/chat/completions' }, responses: { path: '/openai/v1/responses' } },
  modelsPath: '/openai/v1/models',
  operations: { ...operationsBeside('/openai/v1/chat/completions'), realtime: '/openai/v1/realtime' },
  place,
  sign,
  forwardedHeaders: openaiHeaders.forwardedHeaders,
  returnedHeaders: [...openaiHeaders.returnedHeaders, 'apim-request-id', 'x-ms-region'],
  requestIdHeaders: ['apim-request-id', 'x-request-id'],
}

function place({ spoken, config }: PlaceTarget, model: string): string {
  const version = 'api_version' in config ? config.api_version : undefined
  if (version === undefined) return spoken.path
  // Responses name their model in the body there as well.
  const below = spoken.path === '/openai/v1/responses' ? '/openai/' : `/openai/deployments/${pathSegment(model)}/`
  return `${spoken.path.replace('/openai/v1/', below)}?api-version=${version}`
}

function sign({ config }: UnsignedRequest, credential: Credential): readonly string[] {
  if (credential.kind === 'none') return []
  return 'auth' in config && config.auth === 'token'
    ? ['authorization', `Bearer ${secretOf(credential)}`]
    : ['api-key', secretOf(credential)]
}
