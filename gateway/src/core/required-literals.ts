/**
 * What a text must say somewhere for a pattern of RE2 to match in it, read from the pattern's source: most texts say none of it, and
 * looking for words costs a small part of matching. Only what is certain is read; of a source that is not understood nothing is required.
 */

/** Shorter words are in too many texts to tell anything. */
const shortest = 3
/** Of a longer word its beginning is looked for: that is required as well. */
const longest = 32
/** More words than this are looked for no quicker than their pattern. */
const most = 64
/** Groups within groups that are followed. */
const deepest = 50

/** Words in lower case, one of which is in every text (in lower case) that the pattern matches in; undefined where there are none, or none is known. */
export function requiredLiterals(source: string): readonly string[] | undefined {
  const reader = new Reader(source)
  const found = reader.alternatives(0)
  return reader.isUnderstood && reader.isAtEnd ? found : undefined
}

type Words = readonly string[] | undefined

const groupBegin = /\((?:\?(?:P?<\w+>|[imsU]*(?:-[imsU]+)?:))?/y
const flags = /\(\?[imsU]*(?:-[imsU]+)?\)/y
const repetition = /(?:[*+?]|\{(\d+)(?:,\d*)?\})\??/y
/** A class, with names of classes in it or without. */
const plainClass = /\[\^?\]?(?:[^\]\\[]|\\[^QE]|\[:\^?\w+:\])*\]/y
const escapedClass = /\\(?:[dDsSwWbBAzafnrtv]|[pP](?:[A-Za-z]|\{\^?\w+\})|x(?:[0-9A-Fa-f]{2}|\{[0-9A-Fa-f]+\}))/y
const escapedMark = /\\([!-/:-@[-`{-~])/y
const anything = /[.^$]/y
/** What stands for itself. Letters of other alphabets have cases that are written in other ways. */
const plain = /[ -~]/y
const otherwise = /[^\\()[\]|*+?{}.^$ -~]/uy

class Reader {
  readonly #source: string
  #at = 0
  isUnderstood = true

  constructor(source: string) {
    this.#source = source
  }

  get isAtEnd(): boolean {
    return this.#at === this.#source.length
  }

  /** One of them: what each of them requires. */
  alternatives(depth: number): Words {
    let words = this.#sequence(depth)
    while (this.isUnderstood && this.#source[this.#at] === '|') {
      this.#at += 1
      const others = this.#sequence(depth)
      words = words === undefined || others === undefined ? undefined : [...new Set([...words, ...others])]
      if (words !== undefined && words.length > most) words = undefined
    }
    return words
  }

  /** One after the other: the best of what each of them requires. */
  #sequence(depth: number): Words {
    let best: Words
    let run = ''
    const end = (): void => {
      best = better(best, run.length < shortest ? undefined : [run.slice(0, longest)])
      run = ''
    }
    while (this.isUnderstood && !this.isAtEnd) {
      const next = this.#source[this.#at]
      if (next === '|' || next === ')') break
      if (this.#take(flags) !== undefined) continue
      const group = this.#take(groupBegin)
      if (group !== undefined) {
        end()
        const inside = depth < deepest ? this.alternatives(depth + 1) : this.#giveUp()
        if (this.#source[this.#at] !== ')') return this.#giveUp()
        this.#at += 1
        if (this.#isRequired() !== 'not') best = better(best, inside)
        continue
      }
      const character = this.#take(escapedMark)?.[1] ?? this.#plain()
      if (character !== undefined) {
        const times = this.#isRequired()
        if (times !== 'not') run += character.toLowerCase()
        if (times !== 'once') end()
        continue
      }
      const isOther = [plainClass, escapedClass, anything, otherwise].some((form) => this.#take(form) !== undefined)
      if (!isOther) return this.#giveUp()
      this.#isRequired()
      end()
    }
    end()
    return best
  }

  /** How often what was read last is there: by the repetition behind it, which is read with it. */
  #isRequired(): 'once' | 'more' | 'not' {
    const found = this.#take(repetition)
    if (found === undefined) return 'once'
    const [text, least] = found
    return text.startsWith('*') || text.startsWith('?') || (least !== undefined && Number(least) === 0) ? 'not' : 'more'
  }

  #plain(): string | undefined {
    const next = this.#source[this.#at] ?? ''
    return '\\()[]|*+?{}.^$'.includes(next) ? undefined : this.#take(plain)?.[0]
  }

  #take(form: RegExp): RegExpExecArray | undefined {
    form.lastIndex = this.#at
    const found = form.exec(this.#source)
    if (found === null) return undefined
    this.#at = form.lastIndex
    return found
  }

  #giveUp(): undefined {
    this.isUnderstood = false
    return undefined
  }
}

/** What is in fewer texts: of several words the shortest decides. */
function better(one: Words, other: Words): Words {
  if (one === undefined || other === undefined) return one ?? other
  return shortestOf(other) > shortestOf(one) ? other : one
}

function shortestOf(words: readonly string[]): number {
  return Math.min(...words.map(({ length }) => length))
}
