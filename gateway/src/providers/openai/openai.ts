/** OpenAI: Chat Completions and Responses with a bearer credential. */
import type { Provider } from '../provider.ts'
import { signWithBearer } from '../signing.ts'

export const openai: Provider = {
  telemetryName: 'openai',
  dialects: {
    'chat-completions': { path: '/chat/completions' },
    responses: { path: '/responses' },
  },
  modelsPath: '/models',
  sign: signWithBearer,
  forwardedHeaders: ['openai-beta', 'x-client-request-id'],
  returnedHeaders: [
    'x-request-id',
    'openai-processing-ms',
    'openai-version',
    'retry-after',
    'retry-after-ms',
    'x-ratelimit-limit-requests',
    'x-ratelimit-limit-tokens',
    'x-ratelimit-remaining-requests',
    'x-ratelimit-remaining-tokens',
    'x-ratelimit-reset-requests',
    'x-ratelimit-reset-tokens',
  ],
  requestIdHeaders: ['x-request-id'],
}
