import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { losesNumbers, numberText, parseExactJson, pathToRawNumber } from './exact-json.ts'
import { digestJson } from './hash.ts'
import { canonicalJson, isObject, isRawJSON, rawJSON } from './json.ts'
import { compareNumbers, survives } from './number-literals.ts'

const digits = fc.stringMatching(/^(0|[1-9]\d{0,29})$/)
const literal = fc
  .tuple(
    fc.constantFrom('', '-'),
    digits,
    fc.option(fc.stringMatching(/^\d{1,29}$/)),
    fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-', 'E-'), fc.integer({ min: 0, max: 500 }))),
  )
  .map(
    ([sign, whole, fraction, exponent]) =>
      `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${exponent === null ? '' : exponent.join('')}`,
  )

/** The value as an integer times 10 to the -1000: exact, and made in another way than the code under test. */
function scaled(text: string): bigint {
  const [, sign, whole = '', fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const magnitude = BigInt(whole + fraction) * 10n ** BigInt(1000 - fraction.length + Number(exponent))
  return sign === '-' ? -magnitude : magnitude
}

describe('number literals', () => {
  test('a literal survives exactly when what JSON writes for it has the same decimal value', () => {
    fc.assert(
      fc.property(literal, (text) => {
        const written = JSON.stringify(JSON.parse(text))
        expect(survives(text)).toBe(written !== 'null' && scaled(written) === scaled(text))
      }),
    )
  })

  test('literals are ordered by value, however they are written', () => {
    fc.assert(
      fc.property(literal, literal, (a, b) => {
        const difference = scaled(a) - scaled(b)
        expect(Math.sign(compareNumbers(a, b))).toBe(difference > 0n ? 1 : difference < 0n ? -1 : 0)
      }),
    )
  })

  test.each(['1.0', '-0', '-0.0e5', '1E+2', '0e99999999999999999999', '1e21', '9007199254740992', '0.30000000000000004', '5e-324'])(
    '%s survives',
    (text) => {
      expect(survives(text)).toBe(true)
    },
  )

  test.each([
    '9007199254740993',
    '-9007199254740993',
    '18446744073709551615',
    '1e400',
    '-1e400',
    '1e-400',
    '1e99999999999999999999',
    '0.10000000000000000001',
    '9007199254740993.0',
    '9007199254740993e0',
  ])('%s does not', (text) => {
    expect(survives(text)).toBe(false)
  })

  test('a million zeros take one pass', () => {
    const zeros = '0'.repeat(1_000_000)
    expect(survives(`0.${zeros}1`)).toBe(false)
    expect(compareNumbers(`1${zeros}1`, `1${zeros}2`)).toBeLessThan(0)
  })
})

describe('exact JSON', () => {
  test('every number is written back with the value it came with', () => {
    fc.assert(
      fc.property(fc.array(literal, { minLength: 1 }), fc.string(), (numbers, key) => {
        const parsed = parseExactJson(`{${JSON.stringify(key)}:[ ${numbers.join(' ,\n')} ]}`) as Record<string, unknown[]>
        const values = parsed[key] ?? []
        expect(values.map((value) => scaled(JSON.stringify(value)))).toEqual(numbers.map(scaled))
        expect(values.map((value) => isRawJSON(value))).toEqual(numbers.map((text) => !survives(text)))
      }),
    )
  })

  test('a lost number is found wherever it stands, and digits in text are none', () => {
    fc.assert(
      fc.property(literal, fc.string(), (text, words) => {
        const noise = JSON.stringify(`${words}", 9007199254740993, 1e400, \\`)
        expect(losesNumbers(`{${noise}:${noise},"n":[${text}]}`)).toBe(!survives(text))
        expect(losesNumbers(text)).toBe(!survives(text))
      }),
    )
  })

  test('all other values are those of JSON.parse', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value)
        expect(parseExactJson(text)).toEqual(JSON.parse(text))
        expect(parseExactJson(`[${text},1e400,${text}]`)).toEqual([JSON.parse(text), rawJSON('1e400'), JSON.parse(text)])
      }),
    )
  })

  test('a key written with escapes stays the key it is, next to a lost number too', () => {
    const text = String.raw`[{"a":1,"\\u":1},{"a":9007199254740993,"\u0074o":"eve","__proto__":1e400}]`
    expect(JSON.stringify(parseExactJson(text))).toBe(String.raw`[{"a":1,"\\u":1},{"a":9007199254740993,"to":"eve","__proto__":1e400}]`)
  })

  test.each([
    '',
    '{',
    '[9007199254740993',
    '[9007199254740993,]',
    '01',
    '[1e]',
    '[+1]',
    '[.5]',
    '{"a":9007199254740993 9}',
    '"9007199254740993',
  ])('%j is a SyntaxError', (text) => {
    expect(() => parseExactJson(text)).toThrow(SyntaxError)
  })

  test('the path to a raw number is that of the first one', () => {
    expect(pathToRawNumber(parseExactJson('{"a":[1,{"b":2}],"c":[{},{"d":1e400}],"e":1e500}'))).toEqual(['c', '1', 'd'])
    expect(pathToRawNumber(parseExactJson('1e400'))).toEqual([])
    expect(pathToRawNumber(parseExactJson('{"a":[1,"1e400",{"rawJSON":"1e400"}]}'))).toBeUndefined()
  })

  test('the text of a number is known, raw or not', () => {
    expect([1.5, rawJSON('1e400'), '1', null, { rawJSON: '1' }].map(numberText)).toEqual(['1.5', '1e400', undefined, undefined, undefined])
  })
})

describe('canonical form of raw numbers', () => {
  test('they are no objects, and canonical JSON has them as they came', () => {
    expect(isObject(rawJSON('9007199254740993'))).toBe(false)
    expect(canonicalJson(parseExactJson('{"b":[9007199254740993],"a":1e400}'))).toBe('{"a":1e400,"b":[9007199254740993]}')
  })

  test('numbers that a double takes for one have digests of their own, apart from text and from objects that look alike', () => {
    const texts = ['9007199254740992', '9007199254740993', '"9007199254740993"', '{"rawJSON":"9007199254740993"}', 'null', '1e400']
    expect(new Set(texts.map((text) => digestJson(parseExactJson(`{"id":${text}}`)))).size).toBe(texts.length)
  })
})
