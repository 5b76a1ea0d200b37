/**
 * Anything that speaks Chat Completions at an address an administrator chose: vLLM, Ollama, and Kong or
 * APISIX as an edge behind us. Their limit and cache headers travel back, so that callers keep seeing them.
 */
import { edgeHeaders, operationsBeside } from '../openai-like.ts'
import type { Provider } from '../provider.ts'
import { signWithBearer } from '../signing.ts'

export const openaiCompatible: Provider = {
  telemetryName: 'openai-compatible',
  dialects: { 'chat-completions': { path: '/chat/completions' } },
  modelsPath: '/models',
  operations: { ...operationsBeside('/chat/completions'), realtime: '/realtime' },
  sign: signWithBearer,
  ...edgeHeaders,
}
