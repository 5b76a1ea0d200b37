/** OpenAI: Chat Completions and Responses with a bearer credential. */
import { openaiHeaders, operationsBeside } from '../openai-like.ts'
import type { Provider } from '../provider.ts'
import { signWithBearer } from '../signing.ts'

export const openai: Provider = {
  telemetryName: 'openai',
  showsVendorRuns: true,
  dialects: {
    'chat-completions': { path: '/chat/completions' },
    responses: { path: '/responses' },
  },
  modelsPath: '/models',
  operations: { ...operationsBeside('/chat/completions'), realtime: '/realtime' },
  sign: signWithBearer,
  ...openaiHeaders,
  requestIdHeaders: ['x-request-id'],
}
