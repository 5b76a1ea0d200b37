/**
 * Where a value ends in a text. A value is found as a whole only: `corp.example` is not in `bob@corp.example` nor in
 * `corp.example.evil.org`, `10` is not in `1000`, and an address is not in a longer one.
 */

const scripts = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}'
const unspaced = new RegExp(`[${scripts}]`, 'u')
const wordCharacter = /[\p{L}\p{N}\p{M}_]/u
/** What ties two words to one name: `a.b`, `a@b`, `a/b`, `a=b`. Whatever is neither this nor part of a word ends a value. */
const ties = new Set(Array.from(`.@-/\\:+%&=?#~$^!'`))

/** Whether `[start, end)` is a whole value in the text. `before`: ties that may stand before it all the same. */
export function isWhole(text: string, start: number, end: number, before = ''): boolean {
  return !reaches(text, start, -1, before) && !reaches(text, end, 1, '')
}

/** Whether a word goes on across this edge of a value, to the left (-1) or to the right (1). `allowed`: ties across which it does not. */
export function reaches(text: string, edge: number, direction: 1 | -1, allowed: string): boolean {
  const next = characterAt(text, edge, direction)
  if (next === '') return false
  const own = characterAt(text, edge, direction === 1 ? -1 : 1)
  if (isWord(next)) return !changesScript(own, next)
  if (!ties.has(next) || allowed.includes(next)) return false
  // A tie at the edge of a word only ends a sentence, or begins a name: `corp.example.`, `#general`.
  return isWord(characterAt(text, edge + direction * next.length, direction))
}

/** In scripts without spaces, a name in another script is a word of its own. */
function changesScript(own: string, next: string): boolean {
  return unspaced.test(own) !== unspaced.test(next)
}

function isWord(character: string): boolean {
  return character !== '' && wordCharacter.test(character)
}

function characterAt(text: string, edge: number, direction: 1 | -1): string {
  if (direction === 1) {
    const point = text.codePointAt(edge)
    return point === undefined ? '' : String.fromCodePoint(point)
  }
  if (edge <= 0) return ''
  const last = text.charCodeAt(edge - 1)
  const isLow = last >= 0xdc00 && last <= 0xdfff && edge > 1
  return isLow ? text.slice(edge - 2, edge) : text.slice(edge - 1, edge)
}
