/**
 * Vendors and servers that are asked like OpenAI. A table: one line each, with what telemetry calls them and what differs.
 * Where they are is in the contract (`provider-presets.ts`); whoever needs more than a line gets a folder.
 */
import type { PresetKind } from '@turnward/contract/config/provider-presets'
import { edgeHeaders, operationsBeside } from '../openai-like.ts'
import { signWithBearer } from '../signing.ts'
import type { Provider, SpokenDialect } from '../provider.ts'

interface Preset {
  /** Value of `gen_ai.provider.name`: the one of the semantic conventions where they have one. */
  readonly telemetryName: string
  /** Path of Chat Completions below the base URL. */
  readonly chat?: string
  /** Path of Messages below the base URL, where it is spoken as well. */
  readonly messages?: SpokenDialect
  /** Path of the list of models; null where there is none. */
  readonly models?: string | null
  /** Operations that are not where OpenAI has them. */
  readonly operations?: Provider['operations']
}

const presets: Readonly<Record<PresetKind, Preset>> = {
  mistral: { telemetryName: 'mistral_ai' },
  groq: { telemetryName: 'groq' },
  cerebras: { telemetryName: 'cerebras' },
  deepseek: {
    telemetryName: 'deepseek',
    chat: '/v1/chat/completions',
    messages: { path: '/anthropic/v1/messages' },
    models: '/v1/models',
  },
  xai: { telemetryName: 'x_ai' },
  openrouter: { telemetryName: 'openrouter' },
  // Conversations are spoken as OpenAI's, the rest in its own form.
  cohere: {
    telemetryName: 'cohere',
    chat: '/compatibility/v1/chat/completions',
    models: '/compatibility/v1/models',
    operations: { embeddings: { path: '/v2/embed', form: 'cohere' }, rerank: '/v2/rerank' },
  },
  together: { telemetryName: 'together' },
  fireworks: { telemetryName: 'fireworks' },
  perplexity: { telemetryName: 'perplexity', models: null },
  'github-models': { telemetryName: 'github_models', models: null },
  zhipu: { telemetryName: 'zhipu', chat: '/paas/v4/chat/completions', messages: { path: '/anthropic/v1/messages' }, models: null },
  minimax: { telemetryName: 'minimax', chat: '/v1/chat/completions', messages: { path: '/anthropic/v1/messages' }, models: null },
  kimi: {
    telemetryName: 'moonshot_ai',
    chat: '/v1/chat/completions',
    messages: { path: '/anthropic/v1/messages' },
    models: '/v1/models',
  },
  nvidia: { telemetryName: 'nvidia' },
  huggingface: { telemetryName: 'hugging_face' },
  cloudflare: { telemetryName: 'cloudflare', models: null },
  ollama: { telemetryName: 'ollama' },
  vllm: { telemetryName: 'vllm' },
  'lm-studio': { telemetryName: 'lm_studio' },
  litellm: {
    telemetryName: 'litellm',
    chat: '/v1/chat/completions',
    messages: { path: '/v1/messages', countPath: '/v1/messages/count_tokens' },
    models: '/v1/models',
  },
  // A GET without a body is no question an edge's AI plugin knows.
  kong: { telemetryName: 'kong', models: null },
  apisix: { telemetryName: 'apisix', models: null },
}

/** The providers of the table. */
export const presetProviders = Object.fromEntries(Object.entries(presets).map(([kind, preset]) => [kind, providerOf(preset)])) as Readonly<
  Record<PresetKind, Provider>
>

function providerOf({ telemetryName, chat = '/chat/completions', messages, models = '/models', operations }: Preset): Provider {
  return {
    ...edgeHeaders,
    sign: signWithBearer,
    telemetryName,
    dialects: { 'chat-completions': { path: chat }, ...(messages === undefined ? {} : { messages }) },
    operations: { ...operationsBeside(chat), ...operations },
    ...(models === null ? {} : { modelsPath: models }),
    ...(messages === undefined
      ? {}
      : { defaultHeaders: { 'anthropic-version': '2023-06-01' }, forwardedHeaders: [...edgeHeaders.forwardedHeaders, 'anthropic-beta'] }),
  }
}
