/** What a model can read of what reached it: an instruction is found however a tool has wrapped, quoted or escaped it. */

/** Letters and digits only: YAML folds long lines and escapes what it quotes. */
export function bareText(text: string): string {
  return text
    .replaceAll(/\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|\\[nrt]/gi, ' ')
    .replaceAll(/[^\p{L}\p{N}]/gu, '')
    .toLowerCase()
}

export function isVisible(words: string, text: string): boolean {
  return bareText(text).includes(bareText(words))
}

/** The text of a message of Chat Completions. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part: unknown) => (isText(part) ? part.text : '')).join('\n')
}

function isText(part: unknown): part is { readonly text: string } {
  return typeof part === 'object' && part !== null && 'text' in part && typeof part.text === 'string'
}
