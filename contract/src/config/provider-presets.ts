/**
 * Vendors and servers that speak Chat Completions at an address of their own. A table: one line each, with where they are
 * asked unless `base_url` says otherwise; undefined where only an administrator can say. Which paths they have, and how they
 * are signed, is the gateway's to know.
 */
export const presetAddresses = {
  mistral: 'https://api.mistral.ai/v1',
  groq: 'https://api.groq.com/openai/v1',
  cerebras: 'https://api.cerebras.ai/v1',
  deepseek: 'https://api.deepseek.com',
  xai: 'https://api.x.ai/v1',
  openrouter: 'https://openrouter.ai/api/v1',
  cohere: 'https://api.cohere.ai',
  together: 'https://api.together.xyz/v1',
  fireworks: 'https://api.fireworks.ai/inference/v1',
  perplexity: 'https://api.perplexity.ai',
  'github-models': 'https://models.github.ai/inference',
  zhipu: 'https://open.bigmodel.cn/api',
  minimax: 'https://api.minimax.io',
  kimi: 'https://api.moonshot.ai',
  nvidia: 'https://integrate.api.nvidia.com/v1',
  huggingface: 'https://router.huggingface.co/v1',
  /** With the account in it: `https://api.cloudflare.com/client/v4/accounts/<account>/ai/v1`. */
  cloudflare: undefined,
  ollama: 'http://127.0.0.1:11434/v1',
  vllm: 'http://127.0.0.1:8000/v1',
  'lm-studio': 'http://127.0.0.1:1234/v1',
  litellm: 'http://127.0.0.1:4000',
  /** Edges that hold models of their own: the address of a route. */
  kong: undefined,
  apisix: undefined,
} as const satisfies Readonly<Record<string, string | undefined>>

export type PresetKind = keyof typeof presetAddresses
