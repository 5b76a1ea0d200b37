/** Where others say a vendor is, as the address below which this gateway finds its paths. */

/** What stands behind the address in the paths of each kind: endpoints that others write out, and versions that we add ourselves. */
const endings: Readonly<Record<string, RegExp>> = {
  anthropic: /\/messages$/,
  azure: /\/openai(?:\/.*)?$/,
  bedrock: /\/.*$/,
  cohere: /\/(?:compatibility\/)?v[12](?:\/.*)?$/,
  deepseek: /(?:\/v1|\/beta)?(?:\/chat\/completions)?$/,
  gemini: /\/v1(?:beta|alpha)?(?:\/.*)?$/,
  kimi: /(?:\/v1)?(?:\/chat\/completions)?$/,
  litellm: /(?:\/v1)?(?:\/chat\/completions)?$/,
  minimax: /(?:\/v1)?(?:\/chat\/completions)?$/,
  vertex: /\/.*$/,
  zhipu: /\/paas\/v4(?:\/chat\/completions)?$/,
}
const usual = /\/(?:chat\/completions|completions|responses|embeddings)$/

/** Kinds whose address ends in a version, which others leave out. */
const versioned = new Set(['anthropic', 'ollama', 'vllm', 'lm-studio'])

/** The address of a vendor of this kind; what is no address is as it was. */
export function baseAddressOf(kind: string, address: string): string {
  const [, origin, rest = ''] = /^(https?:\/\/[^/?#\s]+)([^?#\s]*)$/i.exec(address) ?? []
  if (origin === undefined) return address
  const path = rest
    .replace(/\/+$/, '')
    .replace(endings[kind] ?? usual, '')
    .replace(/\/+$/, '')
  return `${origin}${path === '' && versioned.has(kind) ? '/v1' : path}`
}
