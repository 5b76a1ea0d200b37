/**
 * Takes text that nobody sees out of what people are shown: characters that are drawn as nothing can carry words that only a model
 * reads, and those that turn the direction of text show another text than there is. Joiners and variation selectors stay where they
 * shape what is seen, one at a time.
 */

/** Characters that are drawn as nothing, or turn the direction of text. */
export const unseen = /[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\ufff9-\ufffb]/gu

/** Joiners (of emoji, of scripts), and the selectors of a form. */
export function isShaping(character: string): boolean {
  const code = character.codePointAt(0) ?? 0
  return code === 0x200c || code === 0x200d || (code >= 0xfe00 && code <= 0xfe0f)
}

export interface InvisibleRail {
  step(words: string): string
  finish(): string
  readonly isHolding: boolean
  /** How many characters were left out so far. */
  readonly count: number
}

export function createInvisibleRail(): InvisibleRail {
  let held = ''
  let count = 0
  let hasShaped = false
  const take = (text: string): string => {
    if (!hasShaped && text.search(unseen) < 0) return text
    const seen = text.replace(unseen, (character) => {
      if (isShaping(character)) return character
      count += 1
      return ''
    })
    let said = ''
    for (const character of seen) {
      const shapes = isShaping(character)
      if (shapes && hasShaped) count += 1
      else said += character
      hasShaped = shapes
    }
    return said
  }
  return {
    step(words) {
      const text = held + words
      // Half a character says nothing yet.
      held = /[\ud800-\udbff]$/.test(text) ? text.slice(-1) : ''
      return take(held === '' ? text : text.slice(0, -1))
    },
    finish() {
      const rest = held
      held = ''
      return rest
    },
    get isHolding() {
      return held !== ''
    },
    get count() {
      return count
    },
  }
}
