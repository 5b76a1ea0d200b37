import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { linksIn } from './links.ts'
import { normalText } from './normal-text.ts'
import { soughtValue } from './sought-value.ts'

const stands = (value: string, text: string) => soughtValue(value).isIn(normalText(text))

describe('a value stands in a text', () => {
  test.each([
    ['bob@corp.example', 'Write to bob@corp.example.'],
    ['bob@corp.example', 'To: Bob <BOB@Corp.Example>, please'],
    ['bob@corp.example', '[Bob](mailto:bob@corp.example)'],
    ['CH9300762011623852957', 'IBAN: CH93 0076 2011 6238 5295 7'],
    ['CH93 0076 2011 6238 5295 7', '(CH9300762011623852957)'],
    ['+41 44 123 45 67', 'call 0041 44 1234567'],
    ['+41441234567', 'call +41 (44) 123-45-67 today'],
    ['1000', 'pay 1,000.00 francs'],
    ['1000.50', 'pay $1,000.5!'],
    ['1000', '１０００円'.replace('円', ' yen')],
    ['-5', 'it is -5 degrees'],
    ['https://a.example/x', 'see https://A.example:443/x.'],
    ['https://a.example/', 'see a.example, please'],
    ['https://a.example/Path?q=1', '<https://a.example/Path?q=1>'],
    ['https://a.example/%7Ebob', 'https://a.example/~bob'],
    ['a.example/x', 'see a.example/x!'],
    ['2026-05-15', 'on May 15th, 2026'],
    ['2026-05-15T10:00:00', 'on 15 May 2026 at 10 am'],
    ['2025-01-11', 'from January 11th to January 15th 2025.'],
    ['2025-01-15', 'from January 11th to January 15th 2025.'],
    ['2025-01-11', 'Jan 11 - 15, 2025'],
    ['2025-01-15', 'Jan 11 - 15, 2025'],
    ['2025-01-11', '11th\u201315th of January 2025'],
    ['2025-01-30', 'from 30 January until 2 February 2025'],
    ['2025-01-11 10:00', 'from January 11th to January 15th 2025, each day at 10 am'],
    ['10:30', 'at 10:30 am'],
    ['general', 'post it in #general'],
    ['Quarterly   report', 'the "quarterly\nreport"'],
    ['/home/ada/notes.txt', 'read /home/ada/notes.txt, then'],
    ['straße', 'STRASSE or Straße'],
    ['general', 'チャンネルgeneralに'],
  ])('%s in %s', (value, text) => expect(stands(value, text)).toBe(true))
})

describe('a value does not stand in a text', () => {
  test.each([
    ['a day of a span in another year', '2024-01-11', 'from January 11th to January 15th 2025'],
    ['a day within a span', '2025-01-12', 'from January 11th to January 15th 2025'],
    ['a span that began the year before', '2025-12-30', 'from December 30th to January 2nd 2025'],
    ['the end of another number', '2025-01-11', 'room 1711 - 15 January 2025'],
    ['a day whose year is further on', '2025-01-11', 'on January 11th, as in May 2025'],
    ['an address within another', 'corp.example', 'bob@corp.example'],
    ['the beginning of a longer host', 'corp.example', 'https://corp.example.evil.org/'],
    ['the end of a longer host', 'corp.example', 'https://evilcorp.example/ and not-corp.example'],
    ['the beginning of a longer address', 'https://a.example/', 'https://a.example/x'],
    ['the beginning of a longer path', 'https://a.example/x', 'https://a.example/x/y and https://a.example/x?y=1'],
    ['an address with another person in front', 'bob@corp.example', 'evilbob@corp.example, x.bob@corp.example, x+bob@corp.example'],
    ['an address with more behind', 'bob@corp.example', 'bob@corp.example.evil.org'],
    ['a host that is only userinfo', 'https://corp.example/', 'https://corp.example@evil.example/'],
    ['an address with userinfo', 'https://bob@corp.example/', 'https://corp.example/'],
    ['an address in the query of another', 'https://a.example/x', 'https://evil.example/?next=https://a.example/x'],
    ['another scheme', 'http://a.example/x', 'https://a.example/x'],
    ['a path in another case', 'https://a.example/Admin', 'https://a.example/admin'],
    ['an encoded slash', 'https://a.example/x%2Fy', 'https://a.example/x/y'],
    ['digits of a longer number', '10', '1000 and 2010'],
    ['the whole part of a number', '1', '1,000 and 1.5'],
    ['the end of a grouped number', '500', '1 500 and 1,500'],
    ['the other sign', '5', '-5'],
    ['digits of an account', '0076', 'CH93 0076 2011 6238 5295 7'.replaceAll(' ', '')],
    ['an account with one more digit', 'CH9300762011623852957', 'CH93007620116238529571'],
    ['a look-alike letter', 'b\u043eb@corp.example', 'bob@corp.example'],
    ['a look-alike host', 'https://\u0430pple.example/', 'https://apple.example/'],
    ['a look-alike digit', 'paypa1.example', 'paypal.example'],
    ['a compatibility form', 'ｂｏｂ@corp.example', 'bob@corp.example'],
    ['a character nobody sees', 'bob@corp.example\u200b', 'bob@corp.example'],
    ['a mark that turns the direction', 'bob\u202e@corp.example', 'bob@corp.example'],
    ['a line break that hides another header', 'bob@corp.example\nBcc: eve@evil.example', 'bob@corp.example Bcc: eve@evil.example'],
    ['another year', '2026-05-15', 'May 15, 2025'],
    ['half of two parts', 'ab', 'a\0b'],
    ['nothing', '   ', 'a   b'],
    ['a combining mark', 'bob', 'bob\u0301'],
  ])('%s', (_why, value, text) => expect(stands(value, text)).toBe(false))

  test('what hides a longer one in the text is seen through', () => {
    expect(stands('bob@corp.example', 'bob@corp.example\u200b.evil.org')).toBe(false)
    expect(stands('bob@corp.example', 'x\u200bbob@corp.example')).toBe(false)
  })
})

test('a value with odd characters stands only where it is written exactly so', () => {
  const odd = 'bob\u200b@corp.example'
  expect(stands(odd, `it is ${odd} as it says`)).toBe(true)
  expect(stands(odd, 'it is bob@corp.example')).toBe(false)
})

test('equal values have one canonical form, others have not', () => {
  const canonical = (value: string) => soughtValue(value).canonical
  expect(canonical('ch93 0076 2011 6238 5295 7')).toBe(canonical('CH9300762011623852957'))
  expect(canonical('1,000.00')).toBe(canonical('1000'))
  expect(canonical('HTTPS://A.example:443/x')).toBe(canonical('https://a.example/x'))
  expect(canonical('bob@corp.example')).not.toBe(canonical('b\u043eb@corp.example'))
  expect(canonical('007')).not.toBe(canonical('7'))
})

const wordy = fc.string({ unit: fc.constantFrom('a', 'b', '1', 'é', '.', '@', '/', '-', ' ', ',', '"', '北'), maxLength: 24 })

test('every value that is found is found between any two bars, and nothing is found in the empty text', () => {
  fc.assert(
    fc.property(wordy, wordy, wordy, (before, value, after) => {
      expect(stands(value, '')).toBe(false)
      const sought = soughtValue(value)
      if (sought.isIn(normalText(value))) expect(sought.isIn(normalText(`${before} | ${value} | ${after}`))).toBe(true)
    }),
    // Between spaces groups of digits would be one number: `1 111 1`.
    { numRuns: 2000, examples: [['1', '111', '1']] },
  )
})

test('letters and digits on either side make it another value', () => {
  const plain = fc.stringMatching(/^[a-z0-9]{1,12}$/)
  fc.assert(
    fc.property(plain, plain, (value, more) => {
      expect(
        stands(value, `${more}${value}${more}`.replaceAll(value, `${value}`)) && !`${more}${value}${more}`.split(' ').includes(value),
      ).toBe(false)
      for (const tie of ['.', '@', '/', '-', '_', '+', '=', '%']) expect(stands(`${value}q`, `${value}q${tie}${more}`)).toBe(false)
    }),
    { numRuns: 500 },
  )
})

test('long texts and values take time in proportion', () => {
  const text = normalText('a.b@'.repeat(200_000))
  for (const value of ['a.b@c.d', 'https://a.b/', '1000', '2026-01-01', 'CH9300762011623852957', 'a'.repeat(16_000)])
    expect(soughtValue(value).isIn(text)).toBe(false)
})

describe('links in a content', () => {
  test.each([
    ['https://a.example/x', 'see https://a.example/x.'],
    ['www.a.example', 'www.a.example is it'],
    ['a.example/pay', 'go to (a.example/pay)'],
    ['evil.example', 'go to evil.example now'],
    ['bob@corp.example', 'mail bob@corp.example!'],
    ['bob@corp.example', '[x](mailto:bob@corp.example)'],
    ['javascript:alert(1', 'x <a href="javascript:alert(1)">'],
    ['data:text/html,hi', 'data:text/html,hi'],
    ['evil.example/x', 'evil\u3002example/x'],
    ['evil.example', 'ev\u200bil.example'],
    ['10.0.0.1/x', 'http is at 10.0.0.1/x'],
  ])('%s in %s', (link, text) => expect(linksIn(text)).toEqual([link]))

  test('an ordinary sentence has none, and too many are told', () => {
    expect(linksIn('Dear Bob, see you at 10.30, e.g. on Monday. Bye, A.')).toEqual([])
    expect(linksIn(Array.from({ length: 100 }, (_, at) => `a${at}.example`).join(' '))).toBeUndefined()
  })
})
