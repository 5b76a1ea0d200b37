/** Anthropic: Messages with `x-api-key` and a version header. */
import type { Provider } from '../provider.ts'

/** Sent when the client named no version of its own. */
export const defaultAnthropicVersion = '2023-06-01'

export const anthropic: Provider = {
  telemetryName: 'anthropic',
  dialect: 'messages',
  path: '/messages',
  countPath: '/messages/count_tokens',
  modelsPath: '/models?limit=1000',
  authHeaders: (secret) => (secret === undefined ? [] : ['x-api-key', secret]),
  forwardedHeaders: ['anthropic-version', 'anthropic-beta'],
  returnedHeaders: [
    'request-id',
    'retry-after',
    'anthropic-ratelimit-requests-limit',
    'anthropic-ratelimit-requests-remaining',
    'anthropic-ratelimit-requests-reset',
    'anthropic-ratelimit-tokens-limit',
    'anthropic-ratelimit-tokens-remaining',
    'anthropic-ratelimit-tokens-reset',
    'anthropic-ratelimit-input-tokens-remaining',
    'anthropic-ratelimit-output-tokens-remaining',
  ],
}
