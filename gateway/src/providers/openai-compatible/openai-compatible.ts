/**
 * Anything that speaks Chat Completions at an address an administrator chose: vLLM, Ollama, and Kong or
 * APISIX as an edge behind us. Their limit and cache headers travel back, so that callers keep seeing them.
 */
import type { Provider } from '../provider.ts'
import { signWithBearer } from '../signing.ts'

export const openaiCompatible: Provider = {
  telemetryName: 'openai-compatible',
  dialects: { 'chat-completions': { path: '/chat/completions' } },
  modelsPath: '/models',
  sign: signWithBearer,
  // An edge writes its own log lines under the id that the caller has written its own under.
  forwardedHeaders: ['x-client-request-id', 'x-request-id'],
  returnedHeaders: [
    'x-request-id',
    'retry-after',
    'x-kong-llm-model',
    'x-kong-request-id',
    'x-apisix-upstream-status',
    'x-cache-status',
    'x-ai-cache-status',
  ],
  // Of edges, whose names end in what was counted (`x-ai-ratelimit-remaining-<instance>`), and of vendors behind them.
  returnedPrefixes: ['x-ai-ratelimit-', 'x-ratelimit-', 'ratelimit-'],
  requestIdHeaders: ['x-request-id', 'x-kong-request-id'],
}
