/** How values of a file of decK refer to the environment, and to Kong's vaults. */
import type { ForeignPart } from '../gateways/foreign-text.ts'

const reference = /\$\{\{\s*env\s+["'`]([A-Za-z_]\w*)["'`]\s*\}\}|\{vault:\/\/[^{}\s]{1,300}\}/g

export function kongParts(text: string): readonly ForeignPart[] {
  const parts: ForeignPart[] = []
  let end = 0
  for (const match of text.matchAll(reference)) {
    if (match.index > end) parts.push({ text: text.slice(end, match.index) })
    end = match.index + match[0].length
    parts.push(match[1] === undefined ? stored(match[0]) : { variable: match[1] })
  }
  if (end < text.length) parts.push({ text: text.slice(end) })
  return parts
}

/** The vault `env` is the environment: the name in upper case, with underscores. */
function stored(source: string): ForeignPart {
  const [, name] = /^\{vault:\/\/env\/([A-Za-z_][\w-]*)\}$/.exec(source) ?? []
  return name === undefined ? { stored: source } : { variable: name.replaceAll('-', '_').toUpperCase() }
}
