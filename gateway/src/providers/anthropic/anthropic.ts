/** Anthropic: Messages with `x-api-key` and a version header. */
import type { Provider } from '../provider.ts'
import { signWithHeader } from '../signing.ts'

export const anthropic: Provider = {
  telemetryName: 'anthropic',
  showsVendorRuns: true,
  dialects: { messages: { path: '/messages', countPath: '/messages/count_tokens' } },
  modelsPath: '/models?limit=1000',
  sign: signWithHeader('x-api-key'),
  defaultHeaders: { 'anthropic-version': '2023-06-01' },
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
  requestIdHeaders: ['request-id'],
}
