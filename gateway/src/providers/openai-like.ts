/** What vendors that follow OpenAI have in common: the paths of operations, and the headers that travel on and back. */
import type { OperationName, Provider } from './provider.ts'

/** Below what stands before `/chat/completions`. `rerank` is no operation of OpenAI's own, and those that have it have it here. */
const paths: Readonly<Record<Exclude<OperationName, 'realtime'>, string>> = {
  embeddings: '/embeddings',
  moderations: '/moderations',
  rerank: '/rerank',
  images: '/images/generations',
  image_edits: '/images/edits',
  image_variations: '/images/variations',
  speech: '/audio/speech',
  transcriptions: '/audio/transcriptions',
  translations: '/audio/translations',
  completions: '/completions',
}

/** The operations beside Chat Completions at this path. */
export function operationsBeside(chatPath: string): typeof paths {
  const start = chatPath.slice(0, -'/chat/completions'.length)
  return Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, `${start}${path}`])) as typeof paths
}

/** Of OpenAI itself, wherever it runs. */
export const openaiHeaders: Pick<Provider, 'forwardedHeaders' | 'returnedHeaders'> = {
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

/** Of servers and edges at an address an administrator chose: their limit and cache headers travel back, so that callers keep seeing them. */
export const edgeHeaders: Pick<Provider, 'forwardedHeaders' | 'returnedHeaders' | 'returnedPrefixes' | 'requestIdHeaders'> = {
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
