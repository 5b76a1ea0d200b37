/**
 * Anything that speaks Chat Completions at an address an administrator chose: vLLM, Ollama, and Kong or
 * APISIX as an edge behind us. Their limit and cache headers travel back, so that callers keep seeing them.
 */
import type { Provider } from '../provider.ts'

export const openaiCompatible: Provider = {
  telemetryName: 'openai-compatible',
  dialect: 'chat-completions',
  path: '/chat/completions',
  modelsPath: '/models',
  authHeaders: (secret) => (secret === undefined ? [] : ['authorization', `Bearer ${secret}`]),
  forwardedHeaders: ['x-client-request-id'],
  returnedHeaders: ['x-request-id', 'retry-after', 'x-kong-llm-model', 'x-cache-status', 'x-ai-cache-status'],
}
