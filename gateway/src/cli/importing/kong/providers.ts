/** The vendors that Kong's AI plugins know. A table: the kind of our upstream. */

export interface KongProvider {
  readonly kind: string
  /** It is where the file says. */
  readonly isHosted?: true
}

const table: Readonly<Record<string, KongProvider>> = {
  openai: { kind: 'openai' },
  azure: { kind: 'azure' },
  anthropic: { kind: 'anthropic' },
  cohere: { kind: 'cohere' },
  mistral: { kind: 'mistral' },
  llama2: { kind: 'openai-compatible', isHosted: true },
  gemini: { kind: 'gemini' },
  bedrock: { kind: 'bedrock' },
  huggingface: { kind: 'huggingface' },
  deepseek: { kind: 'deepseek' },
  cerebras: { kind: 'cerebras' },
  xai: { kind: 'xai' },
  dashscope: { kind: 'openai-compatible' },
  databricks: { kind: 'openai-compatible', isHosted: true },
  ollama: { kind: 'ollama' },
  vllm: { kind: 'vllm' },
}

/** Undefined for a vendor that is not known. */
export function kongProvider(name: string | undefined): KongProvider | undefined {
  return name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined
}
