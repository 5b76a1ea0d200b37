/** Texts that say a passage together and none of it alone: what comes in many small parts, messages or events is read in one go. */
import { wordsInRun } from './shingles.ts'

/** Of a longer text, what is beyond says nothing of whether it is short. */
const looked = 400
/** Characters of pieces that are put together. */
const mostTogether = 200_000

/** Neighbours that are too short to be passages, put together: as words beside each other, and as parts of words. */
export function shortPieces(texts: readonly string[]): readonly string[] {
  const together: string[] = []
  let group: string[] = []
  let size = 0
  const close = (): void => {
    if (group.length > 1) together.push(group.join(' '), group.join(''))
    group = []
  }
  for (const text of texts) {
    size += text.length
    if (size > mostTogether) break
    if (isShort(text)) group.push(text)
    else close()
  }
  close()
  return together
}

function isShort(text: string): boolean {
  return text.slice(0, looked).trim().split(/\s+/).length < wordsInRun
}
