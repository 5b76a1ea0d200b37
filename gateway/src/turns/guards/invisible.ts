/**
 * The kind `invisible`: characters that nobody sees and a model reads (tags, zero-width), that turn the direction of text, and letters
 * that are not what they look like. `redact` writes what people see.
 */
import type { GuardConfig } from '@turnward/contract/config'
import { isShaping, unseen } from '../rails/invisible-text.ts'
import { apart, lastRun } from './findings.ts'
import type { Finding, Inspector } from './guard.ts'

type InvisibleConfig = Extract<GuardConfig, { kind: 'invisible' }>

export function inspectInvisible({ confusables }: InvisibleConfig): Inspector {
  return {
    find: (text) => (confusables ? apart([...unseenIn(text), ...disguisedIn(text), ...mixedIn(text)]) : unseenIn(text)),
    openFrom(text) {
      // Half a character says nothing yet, and a word is not judged before its end.
      const whole = /[\ud800-\udbff]$/.test(text) ? text.length - 1 : text.length
      return confusables ? lastRun(text.slice(0, whole), longestWord, (character) => /[A-Za-z\p{M}\u0370-\u052f]/u.test(character)) : whole
    },
  }
}

const longestWord = 64

/** Nothing in these is shaped by what stands behind it: there it only keeps words from being found. */
const unshaped = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\s]/u

/** A joiner, or a selector of a form, stays where it shapes what is seen: one at a time. */
function unseenIn(text: string): readonly Finding[] {
  const found: Finding[] = []
  let shapedEnd = -1
  for (const { 0: character, index } of text.matchAll(unseen)) {
    const end = index + character.length
    const isFirst = isShaping(character) && index !== shapedEnd && !unshaped.test(text.charAt(index - 1))
    if (isShaping(character)) shapedEnd = end
    if (!isFirst) found.push({ start: index, end, what: 'invisible', instead: '' })
  }
  return found
}

/** Full-width and mathematical forms of plain letters and digits, circled ones and the like. */
const disguised = /[\uff01-\uff5e\u2460-\u24ff\u2100-\u214f]|[\u{1d400}-\u{1d7ff}]|[\u{1f110}-\u{1f189}]/gu

function disguisedIn(text: string): readonly Finding[] {
  return [...text.matchAll(disguised)].flatMap(({ 0: character, index }): Finding[] => {
    const plain = character.normalize('NFKC')
    return /^[ -~]+$/.test(plain) ? [{ start: index, end: index + character.length, what: 'confusable', instead: plain }] : []
  })
}

/** Letters of Cyrillic and Greek that look like Latin ones. */
const alike = new Map(
  (
    'аa еe оo рp сc уy хx іi јj ѕs һh ԁd ԛq ԝw ӏl АA ВB ЕE КK МM НH ОO РP СC ТT ХX УY ЅS ІI ЈJ ӀI ' +
    'ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX οo νv'
  )
    .split(' ')
    .map((pair): [string, string] => [pair.charAt(0), pair.charAt(1)]),
)

const words = /[\p{L}\p{M}]+/gu
const look = /[аеорсухіјѕһԁԛԝӏАВЕКМНОРСТХУЅІЈӀΑΒΕΖΗΙΚΜΝΟΡΤΥΧον]/g

/** Of a word that has Latin letters too: in one of another script they are what they look like. */
function mixedIn(text: string): readonly Finding[] {
  if (text.search(look) < 0) return []
  return [...text.matchAll(words)].flatMap(({ 0: word, index }) =>
    /[A-Za-z]/.test(word)
      ? [...word.matchAll(look)].map(({ 0: letter, index: at }): Finding => ({
          start: index + at,
          end: index + at + 1,
          what: 'confusable',
          instead: alike.get(letter) ?? letter,
        }))
      : [],
  )
}
