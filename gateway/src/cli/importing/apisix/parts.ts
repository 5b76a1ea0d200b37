/** How values of APISIX's file refer to the environment, and to its stores of secrets. */
import type { ForeignPart } from '../gateways/foreign-text.ts'

const inText = /\$\{\{\s*([A-Za-z_]\w*)\s*(?::=([^{}]{0,500}))?\}\}/g

export function apisixParts(text: string): readonly ForeignPart[] {
  const [, whole] = /^\$ENV:\/\/([A-Za-z_]\w*)$/i.exec(text) ?? []
  if (whole !== undefined) return [{ variable: whole }]
  // Part of a variable, or something that only APISIX can ask.
  if (/^\$(?:ENV|secret):\/\/[^\s]{1,300}$/i.test(text)) return [{ stored: text }]
  const parts: ForeignPart[] = []
  let end = 0
  for (const match of text.matchAll(inText)) {
    if (match.index > end) parts.push({ text: text.slice(end, match.index) })
    end = match.index + match[0].length
    parts.push({ variable: match[1] ?? '', fallback: match[2]?.trim() })
  }
  if (end < text.length) parts.push({ text: text.slice(end) })
  return parts
}
