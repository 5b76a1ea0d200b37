/** Where sentences end, in text that may go on: a mark that ends one with space behind it, a mark of a script without spaces, or the end of a line. */

/** A sentence is not waited for longer, in characters. */
export const longestSentence = 2000

const end = /[.!?\u2026]["')\]]?\s|[\u3002\uff01\uff1f\u0964]|\n/g

/** Where the last sentence that has ended ends; 0 where none has, and the length of the text where it was waited for too long. */
export function endOfSentences(text: string): number {
  let last = 0
  for (const { 0: mark, index } of text.matchAll(end)) last = index + mark.length
  return text.length - last > longestSentence ? text.length : last
}
