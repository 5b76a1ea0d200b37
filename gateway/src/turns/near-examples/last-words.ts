/** What the user of a conversation has said last, as it goes out: guards have looked at it. Pure. */
import type { ModelCall } from '../call.ts'
import { spokenTexts, wordsOf } from '../embeddings/spoken-texts.ts'

/** Characters at its end that are compared: what is asked stands there as a rule, and no model of embeddings takes much more. */
const mostCharacters = 4000

/** Empty where the user has said nothing. What came after it, of models and of tools, is for whoever it is for. */
export function lastWords({ dialect, body, added }: Pick<ModelCall, 'dialect' | 'body' | 'added'>): string {
  // What the operator says behind every conversation is nobody's question.
  const appended = new Set(added?.messages.append.map(({ text }) => text))
  const spoken = spokenTexts(dialect, body.json)
    .filter(({ isFixed, isJson }) => isFixed !== true && isJson !== true)
    .map((text) => ({ isUsers: text.part === 'user', words: wordsOf(text) }))
    .filter(({ words }) => !appended.has(words))
  const end = spoken.findLastIndex(({ isUsers }) => isUsers) + 1
  const start = spoken.slice(0, end).findLastIndex(({ isUsers }) => !isUsers) + 1
  const words = spoken.slice(start, end).map((text) => text.words)
  return words.join('\n').trim().slice(-mostCharacters)
}
