/** What the words of a tool's name and arguments say it reads: things that people outside write. A vocabulary of this engine alone. */
import { isObject } from '../../core/json.ts'
import { argumentsStayInside, changingWords, outsideWords, readingVerbs, sendingWords, wordsOf } from '../tool-words.ts'
import type { Contract } from '../types.ts'
import type { KnownTool, TrustEvidence } from './misplaced-trust.ts'

/** Things that others write, in the singular. */
const strangersThings: ReadonlySet<string> = new Set(
  'mail email inbox message chat channel thread conversation comment issue ticket review discussion post feed page website article news event invitation invite log notification contact profile attachment submission feedback transcript sms voicemail call note document webpage url mention reply request order customer lead guest'.split(
    ' ',
  ),
)

/** A result of it may hold words of strangers, as far as its name and its arguments say. */
export function strangersEvidence({ originalName, definition }: KnownTool, contract: Contract): readonly TrustEvidence[] {
  const words = wordsOf(originalName).map(singular)
  if (!reads(words, contract)) return []
  const things = [...new Set(words.filter((word) => strangersThings.has(word) || outsideWords.has(word)))]
  const schema = definition?.['inputSchema']
  const reaches = isObject(schema) && !argumentsStayInside(schema)
  return [
    ...(things.length === 0
      ? []
      : [
          {
            kind: 'name' as const,
            detail: `its name says that it reads what others write: ${things.map((word) => `\`${word}\``).join(', ')}`,
          },
        ]),
    ...(reaches ? [{ kind: 'arguments' as const, detail: 'an argument of it can reach out, or name a query or a command' }] : []),
  ]
}

/** It reads, and is not described as one that only acts. */
function reads([first = '']: readonly string[], { effects }: Contract): boolean {
  if (readingVerbs.has(first) || first === 'download') return true
  return effects.length === 0 && !changingWords.has(first) && !sendingWords.has(first)
}

/** `channels` -> `channel`, `replies` -> `reply`, `inboxes` -> `inbox`. */
export function singular(word: string): string {
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`
  if (word.length > 4 && /(?:x|ch|sh|ss)es$/.test(word)) return word.slice(0, -2)
  return word.length > 3 && word.endsWith('s') && !word.endsWith('ss') && word !== 'news' ? word.slice(0, -1) : word
}
