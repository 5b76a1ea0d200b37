/** What is asked in a request: the last words of its user, and the rest of it without them. Pure but for what it reads. */
import type { JsonObject } from '../../core/json.ts'
import type { Dialect } from '../../wire/dialect.ts'
import type { RequestText } from '../../wire/request/request-texts.ts'
import { spokenTexts, wordsOf } from '../embeddings/spoken-texts.ts'

export interface AskedQuestion {
  readonly text: string
  /** The request, with only those words of the question that stand for themselves. */
  readonly rest: JsonObject
}

/** Characters of a question that are compared; of a longer one the end would say too little. */
const mostCharacters = 8000

/** Undefined where the user has not spoken last, or not in words that are compared. */
export function askedQuestion(dialect: Pick<Dialect, 'requestTexts'>, body: JsonObject): AskedQuestion | undefined {
  const rest = structuredClone(body)
  const spoken = spokenTexts(dialect, rest)
  const last = spoken.slice(spoken.findLastIndex(({ part }) => part !== 'user') + 1)
  const words = last.map(wordsOf)
  const text = words.join('\n')
  if (text.trim() === '' || text.length > mostCharacters || last.some(({ isFixed, isJson }) => isFixed === true || isJson === true))
    return undefined
  for (const [at, one] of last.entries()) write(one, literals(words[at] ?? ''))
  return { text, rest }
}

/**
 * Numbers, names with digits and placeholders of guards: two orders are near each other by what is said of them, and are not the same.
 */
function literals(text: string): string {
  return text
    .split(/[^\p{L}\p{N}_-]+/u)
    .filter((word) => /[\p{N}_]/u.test(word))
    .join(' ')
}

function write({ holder, field }: RequestText, text: string): void {
  ;(holder as Record<string | number, unknown>)[field] = text
}
