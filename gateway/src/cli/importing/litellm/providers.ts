/** Which vendor a model of LiteLLM is asked of. A table: what stands before the slash of `model`, or in `custom_llm_provider`. */

export interface LitellmProvider {
  /** Of our upstream. */
  readonly kind: string
  /** The variable its key is read from when the file has none. */
  readonly key?: string
  /** Words that may stand between the vendor and the model, and say how it is asked. */
  readonly ways?: readonly string[]
}

const table: Readonly<Record<string, LitellmProvider>> = {
  openai: { kind: 'openai', key: 'OPENAI_API_KEY', ways: ['responses', 'chat'] },
  'text-completion-openai': { kind: 'openai', key: 'OPENAI_API_KEY' },
  custom_openai: { kind: 'openai-compatible' },
  openai_like: { kind: 'openai-compatible' },
  azure: { kind: 'azure', key: 'AZURE_API_KEY', ways: ['responses', 'o_series', 'gpt5_series'] },
  anthropic: { kind: 'anthropic', key: 'ANTHROPIC_API_KEY' },
  bedrock: { kind: 'bedrock', ways: ['converse', 'invoke', 'converse_like'] },
  bedrock_converse: { kind: 'bedrock' },
  vertex_ai: { kind: 'vertex' },
  vertex_ai_beta: { kind: 'vertex' },
  gemini: { kind: 'gemini', key: 'GEMINI_API_KEY' },
  mistral: { kind: 'mistral', key: 'MISTRAL_API_KEY' },
  groq: { kind: 'groq', key: 'GROQ_API_KEY' },
  cerebras: { kind: 'cerebras', key: 'CEREBRAS_API_KEY' },
  deepseek: { kind: 'deepseek', key: 'DEEPSEEK_API_KEY' },
  xai: { kind: 'xai', key: 'XAI_API_KEY' },
  openrouter: { kind: 'openrouter', key: 'OPENROUTER_API_KEY' },
  cohere: { kind: 'cohere', key: 'COHERE_API_KEY' },
  cohere_chat: { kind: 'cohere', key: 'COHERE_API_KEY' },
  together_ai: { kind: 'together', key: 'TOGETHERAI_API_KEY' },
  fireworks_ai: { kind: 'fireworks', key: 'FIREWORKS_AI_API_KEY' },
  perplexity: { kind: 'perplexity', key: 'PERPLEXITYAI_API_KEY' },
  github: { kind: 'github-models', key: 'GITHUB_API_KEY' },
  zai: { kind: 'zhipu', key: 'ZAI_API_KEY' },
  minimax: { kind: 'minimax', key: 'MINIMAX_API_KEY' },
  moonshot: { kind: 'kimi', key: 'MOONSHOT_API_KEY' },
  nvidia_nim: { kind: 'nvidia', key: 'NVIDIA_NIM_API_KEY' },
  huggingface: { kind: 'huggingface', key: 'HUGGINGFACE_API_KEY' },
  cloudflare: { kind: 'cloudflare', key: 'CLOUDFLARE_API_KEY' },
  ollama: { kind: 'ollama' },
  ollama_chat: { kind: 'ollama' },
  hosted_vllm: { kind: 'vllm' },
  vllm: { kind: 'vllm' },
  lm_studio: { kind: 'lm-studio' },
  litellm_proxy: { kind: 'litellm', key: 'LITELLM_PROXY_API_KEY' },
}

/** Vendors that a bare name of a model means. */
const bare: readonly (readonly [RegExp, string])[] = [
  [/^(?:gpt-|chatgpt-|o[134](?:$|-)|text-embedding-(?:3|ada)|dall-e|whisper|tts-|omni-moderation)/, 'openai'],
  [/^claude-/, 'anthropic'],
  [/^command-/, 'cohere'],
]

export interface AskedModel {
  readonly provider: LitellmProvider
  /** As the vendor calls it. */
  readonly model: string
  /** How it is asked, where the name says so. */
  readonly way: string | undefined
}

/** Undefined for a vendor that is not known, or that no name says. `custom`: what `custom_llm_provider` says. */
export function askedModel(text: string, custom: string | undefined): AskedModel | undefined {
  const [, before = '', behind = ''] = /^([^/]+)\/(.+)$/s.exec(text) ?? []
  const named = custom ?? (Object.hasOwn(table, before) ? before : bare.find(([shape]) => shape.test(text))?.[1])
  const provider = named !== undefined && Object.hasOwn(table, named) ? table[named] : undefined
  if (provider === undefined || text === '') return undefined
  const model = before === named ? behind : text
  const [, first = '', rest = ''] = /^([^/]+)\/(.+)$/s.exec(model) ?? []
  const way = provider.ways?.includes(first) === true ? first : undefined
  return { provider, model: way === undefined ? model : rest, way }
}
