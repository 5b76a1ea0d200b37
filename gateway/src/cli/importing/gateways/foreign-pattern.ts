/** Patterns of other gateways, which are those of Perl and have more than those of RE2. */
import { compileTextPatterns } from '../../../core/text-patterns.ts'
import type { ForeignTexts } from './foreign-text.ts'
import type { Foreign } from './foreign-value.ts'

const longest = 2000
const isNone = 'it is no pattern of RE2, which has no look-around and no references back'
const hasAnchor = /(?:^|[^\\[])(?:\\\\)*[\^$]/
const isAnchored = '`^` and `$` are the ends of each text here, and not of a whole conversation'

export interface WrittenPattern {
  readonly text: string
  /** What is different about it. */
  readonly why: string | undefined
}

/** As it is written in our configuration. Undefined when it is none that takes linear time, which is then spoken of. `source`: it, where it is not the item itself. */
export function patternOf(item: Foreign, owner: string, texts: ForeignTexts, source = item.text()): WrittenPattern | undefined {
  if (source === undefined || source === '' || source.length > longest || !isPattern(source)) {
    item.left(isNone)
    item.note(
      'Patterns that RE2 does not have were not taken over: what they were to hold back is not held back until they are written otherwise.',
    )
    return undefined
  }
  const { text, why } = texts.words(source, owner, `${owner}_PATTERN`)
  return { text, why: why ?? (hasAnchor.test(source) ? isAnchored : undefined) }
}

function isPattern(source: string): boolean {
  try {
    compileTextPatterns([source])
    return true
  } catch {
    return false
  }
}
