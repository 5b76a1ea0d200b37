import fc from 'fast-check'
import { RE2JS, RE2Set } from 're2js'
import { describe, expect, test } from 'vitest'
import { requiredLiterals } from './required-literals.ts'
import { compileTextPatterns } from './text-patterns.ts'

describe('what a pattern requires', () => {
  test.each([
    ['(?i)project\\s+bluebird', ['bluebird']],
    ['AKIA[0-9A-Z]{16}', ['akia']],
    ['\\bsk-(?:live|test)_\\w+', ['live', 'test']],
    ['colou?r(?:ed)?', ['colo']],
    ['(abc|abd)+x', ['abc', 'abd']],
    ['pro(?i)ject', ['project']],
    ['ab+cd{2}ef', undefined],
    ['(?:secret){0,2}', undefined],
    ['(?:secret){2}', ['secret']],
    ['one|[[:digit:]]+', undefined],
    ['\\d{16}', undefined],
    ['sign\\.in', ['sign.in']],
    // Not read, which is no loss but of time.
    ['\\Qlong words\\E', undefined],
    ['\\x41\\x42long', ['long']],
    ['geheim\\101', undefined],
    ['größe', undefined],
  ])('%s: %j', (source, words) => {
    expect(() => RE2JS.compile(source)).not.toThrow()
    expect(requiredLiterals(source)).toEqual(words)
  })

  test('long words are looked for by their beginning', () => {
    expect(requiredLiterals('a'.repeat(5000))).toEqual(['a'.repeat(32)])
  })
})

/** A part of a pattern, and a text that it matches in most of the time. */
interface Sample {
  readonly source: string
  readonly text: string
}

/** As a letter may be written without regard to case, in all alphabets that have one for it. */
const casesOf = (letter: string): string[] => [
  letter.toLowerCase(),
  letter.toUpperCase(),
  ...(letter.toLowerCase() === 's' ? ['\u017f'] : []),
  ...(letter.toLowerCase() === 'k' ? ['\u212a'] : []),
]
const word = fc.constantFrom('secret', 'task', 'Kiss', 'a.bc').map((text) => ({ source: text.replace('.', '\\.'), text }))
const special: readonly Sample[] = [
  ['\\s', ' '],
  ['\\d', '1'],
  ['\\b', ''],
  ['.', 's'],
  ['[a-z]', 'k'],
  ['[^]x]', 'a'],
  ['[]a]', ']'],
  ['[[:alpha:]]', 'b'],
  ['[\\]a]', ']'],
  ['\\x41', 'A'],
  ['\\x{6b}', 'k'],
  ['\\pL', 'é'],
  ['(?i)', ''],
  ['(?i)', ''],
  ['(?-i)', ''],
  ['(?s)', ''],
  ['x', 'x'],
  ['é', 'É'],
  ['-', '-'],
  ['\\Qse+\\E', 'se+'],
  ['\\163', 's'],
  ['{', '{'],
  [']', ']'],
  ['\\_', '_'],
  ['\n', '\n'],
  ['ſ', 'ſ'],
].map(([source = '', text = '']) => ({ source, text }))
const piece = fc.oneof({ weight: 5, arbitrary: word }, { weight: 2, arbitrary: fc.constantFrom(...special) })
const times = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ mark: '', count: 1 }) },
  fc
    .constantFrom('*', '+', '?', '{0}', '{0,2}', '{1,2}', '{2}', '*?', '+?', '??', '{2,}?', '{02}', '{,2}')
    .chain((mark) => fc.constantFrom(0, 1, 2).map((count) => ({ mark, count }))),
)
const { sample } = fc.letrec<{ sample: Sample; sequence: Sample; item: Sample }>((tie) => ({
  sample: fc.oneof(
    { depthSize: 'small' },
    tie('sequence'),
    fc.tuple(tie('sequence'), tie('sequence')).map(([one, other]) => ({ source: `${one.source}|${other.source}`, text: one.text })),
  ),
  sequence: fc
    .array(tie('item'), { maxLength: 3 })
    .map((items) => ({ source: items.map(({ source }) => source).join(''), text: items.map(({ text }) => text).join('') })),
  item: fc.oneof(
    { depthSize: 'small' },
    fc.tuple(piece, times).map(([{ source, text }, { mark, count }]) => ({
      source: source + mark,
      text: mark === '' ? text : text.slice(0, -1) + text.slice(-1).repeat(count),
    })),
    fc
      .tuple(fc.constantFrom('(', '(?:', '(?i:', '(?P<n>', '(?i-s:'), tie('sample'), times)
      .map(([begin, { source, text }, { mark, count }]) => ({ source: `${begin}${source})${mark}`, text: text.repeat(count) })),
  ),
}))
const letter = fc.constantFrom(...Array.from('secrtakib').flatMap(casesOf), '.', 'x', '1', '\n', 'é', ' ', '-')
const others = fc.array(letter, { maxLength: 4 }).map((letters) => letters.join(''))

/** The same text as it may be written without regard to case; `choices` choose. */
function recased(text: string, choices: readonly number[]): string {
  return Array.from(text, (one, at) => casesOf(one)[(choices[at % choices.length] ?? 0) % casesOf(one).length]).join('')
}

function compiles(one: string): boolean {
  try {
    RE2JS.compile(one)
    return true
  } catch {
    return false
  }
}

test('looking for words first never changes what is found', () => {
  let [matched, passedOver] = [0, 0]
  fc.assert(
    fc.property(
      fc.array(
        sample.filter(({ source }) => compiles(source)),
        { minLength: 1, maxLength: 2 },
      ),
      fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 7 }),
      others,
      others,
      (samples, choices, before, after) => {
        const sources = samples.map(({ source }) => source)
        const patterns = compileTextPatterns(sources)
        const alone = new RE2Set()
        for (const one of sources) alone.add(one)
        const written = samples.flatMap(({ text }) => [text, recased(text, choices)])
        for (const text of [...written.map((one) => before + one + after), before + after]) {
          const expected = alone.match(text)
          expect(patterns.which(text)).toEqual(expected)
          expect(expected).toEqual(expect.arrayContaining([...new Set(patterns.find(text).map(({ pattern }) => pattern))]))
          if (!patterns.mayHold(text)) passedOver += 1
          else if (expected.length > 0 && sources.every((source) => requiredLiterals(source) !== undefined)) matched += 1
        }
      },
    ),
    { numRuns: 2000 },
  )
  // The property was about something.
  expect(Math.min(matched, passedOver)).toBeGreaterThan(200)
})

test('a letter that RE2 takes for one of another alphabet is found whatever its case is written with', () => {
  for (const letter of 'abcdefghijklmnopqrstuvwxyz') {
    const word = letter.repeat(3)
    const [pattern, alone] = [compileTextPatterns([`(?i)${word}`]), RE2JS.compile(`(?i)${word}`)]
    for (let code = 0x80; code < 0x3000; code += 1) {
      const one = String.fromCharCode(code).repeat(3)
      if (alone.matcher(one).find()) expect(pattern.which(one), `${letter} ${code}`).toEqual([0])
    }
    expect(pattern.which(word.toUpperCase())).toEqual([0])
  }
})
