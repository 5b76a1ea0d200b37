/** OpenAI: Chat Completions with a bearer credential. */
import type { Provider } from '../provider.ts'

export const openai: Provider = {
  telemetryName: 'openai',
  dialect: 'chat-completions',
  path: '/chat/completions',
  modelsPath: '/models',
  authHeaders: (secret) => (secret === undefined ? [] : ['authorization', `Bearer ${secret}`]),
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
}
