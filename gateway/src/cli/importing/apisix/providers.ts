/** The vendors that APISIX's AI plugins know. A table: the kind of our upstream, and where it is, if that does not follow. */

export interface ApisixProvider {
  readonly kind: string
  readonly address?: string
}

const table: Readonly<Record<string, ApisixProvider>> = {
  openai: { kind: 'openai' },
  deepseek: { kind: 'deepseek' },
  'azure-openai': { kind: 'azure' },
  aimlapi: { kind: 'openai-compatible', address: 'https://api.aimlapi.com/v1' },
  anthropic: { kind: 'anthropic' },
  openrouter: { kind: 'openrouter' },
  gemini: { kind: 'gemini' },
  'vertex-ai': { kind: 'vertex' },
  bedrock: { kind: 'bedrock' },
  'openai-compatible': { kind: 'openai-compatible' },
}

/** Undefined for a vendor that is not known. */
export function apisixProvider(name: string | undefined): ApisixProvider | undefined {
  return name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined
}
