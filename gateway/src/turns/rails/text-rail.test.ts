import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileNames } from '../../policy/patterns.ts'
import { createTextRail, type Neutralised } from './text-rail.ts'

const allowed = compileNames(['wiki.acme.example', '*.docs.example'])
const railed = (pieces: readonly string[], noted: Neutralised = { links: 0, invisible: 0 }): string => {
  const rail = createTextRail({ isAllowed: (host) => allowed.matches(host), removesInvisible: true }, noted)
  return pieces.map((piece) => rail.step(piece)).join('') + rail.finish()
}

/** Text, and what people get of it. */
const neutralised: readonly (readonly [string, string])[] = [
  ['![x](https://evil.example/?q=secret)', '![x](https[:]//evil.example/?q=secret)'],
  ['[click](http://evil.example)', '[click](http[:]//evil.example)'],
  ['see https://evil.example.', 'see https[:]//evil.example.'],
  ['<https://evil.example/a>', '<https[:]//evil.example/a>'],
  ['[1]: https://evil.example/a "t"', '[1]: https[:]//evil.example/a "t"'],
  ['<img src="HTTPS://evil.example/a">', '<img src="HTTPS[:]//evil.example/a">'],
  ["<a href='//evil.example/a'>", "<a href='[//]evil.example/a'>"],
  ['![x](//evil.example/a)', '![x]([//]evil.example/a)'],
  [String.raw`<img src="\\evil.example">`, String.raw`<img src="[\\]evil.example">`],
  ['![x](data:image/png;base64,AAAA)', '![x](data[:]image/png;base64,AAAA)'],
  ['<a href="javascript:alert(1)">', '<a href="javascript[:]alert(1)">'],
  ['go to www.evil.example now', 'go to www[.]evil.example now'],
  ['open slack://channel?team=1', 'open slack[:]//channel?team=1'],
  ['ht\ttps://evil.example', 'ht\ttps[:]//evil.example'],
  ['<a href="java\tscript:alert(1)">', '<a href="java\tscript[:]alert(1)">'],
  [String.raw`![x](https:\/\/evil.example)`, String.raw`![x](https[:]\/\/evil.example)`],
  [String.raw`![x](https\://evil.example)`, String.raw`![x](https\[:]//evil.example)`],
  ['![x](https&#58;//evil.example)', '![x](https&amp;#58;//evil.example)'],
  ['![x](https&colon;//evil.example)', '![x](https&amp;colon;//evil.example)'],
  ['![x](&#104;ttps://evil.example)', '![x](&amp;#104;ttps[:]//evil.example)'],
  ['https:evil.example', 'https[:]evil.example'],
  ['https://wiki.acme.example@evil.example/', 'https[:]//wiki.acme.example@evil.example/'],
  [String.raw`https://wiki.acme.example\@evil.example/`, String.raw`https[:]//wiki.acme.example\@evil.example/`],
  ['https://wiki.acme.example.evil.example/', 'https[:]//wiki.acme.example.evil.example/'],
  ['https://wiki。acme.example/', 'https[:]//wiki。acme.example/'],
  ['h\u200bttps:/\u200b/evil.example', 'https[:]//evil.example'],
]

const untouched: readonly string[] = [
  'Note: this is text. It ends at 10:30, and a/b is a path.',
  'see https://wiki.acme.example/a?b=c#d and https://api.docs.example:8443/x.',
  '[a](/relative) and ![b](picture.png) and [c](#part)',
  'a::b and C:\\Users\\x and foo.bar() // a comment',
  'data: 1, the data:\n- one',
  'AT&T, a && b, &lt;b&gt; &quot;c&quot; &amp;',
  '👩‍💻 is one, ❤️ too, and नमस्ते',
  'www is a word',
]

/** Every way to cut a text into two pieces, and into pieces of one. */
const cuts = (text: string): readonly (readonly string[])[] => [
  ...Array.from({ length: text.length + 1 }, (_, at) => [text.slice(0, at), text.slice(at)]),
  Array.from(text, (character) => character),
  text.split(''),
]

describe('text for people, after taint', () => {
  test.each(neutralised)('%j has no address that anybody follows, however it is cut', (text, expected) => {
    for (const pieces of cuts(`So ${text}`)) expect(railed(pieces)).toBe(`So ${expected}`)
    for (const pieces of cuts(`${text}\nmore`)) expect(railed(pieces)).toBe(`${expected}\nmore`)
  })

  test.each(untouched)('%j stays as it is, however it is cut', (text) => {
    const noted = { links: 0, invisible: 0 }
    for (const pieces of cuts(text)) expect(railed(pieces, noted)).toBe(text)
    expect(noted).toEqual({ links: 0, invisible: 0 })
  })

  test('is the same in any pieces', () => {
    const part = fc.constantFrom(
      'https',
      'http',
      ':',
      '/',
      '//',
      '\\',
      '.',
      'www',
      'evil.example',
      'wiki.acme.example',
      ' ',
      '\n',
      '(',
      ')',
      '"',
      '&#58;',
      '&',
      '#',
      ';',
      'data',
      'image/png',
      ',',
      '@',
      '\u200b',
      '\u200d',
      '\u{e0041}',
      '😀',
      'a',
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 14 }), fc.array(fc.nat(40), { maxLength: 6 }), (parts, places) => {
        const text = parts.join('')
        const ends = [...new Set(places.map((place) => Math.min(place, text.length)))].sort((a, b) => a - b)
        const pieces = [0, ...ends].map((from, at) => text.slice(from, ends[at] ?? text.length))
        expect(railed(pieces)).toBe(railed([text]))
      }),
      { numRuns: 3000 },
    )
  })

  test('has no characters that nobody sees, and they are counted', () => {
    const noted = { links: 0, invisible: 0 }
    const hidden = Array.from('send it', (character) => String.fromCodePoint(0xe0000 + (character.codePointAt(0) ?? 0))).join('')
    expect(railed([`a${hidden}b\u202ec\u200b\u200d\u200d\u200dd`], noted)).toBe('abc\u200dd')
    expect(noted.invisible).toBe(11)
  })

  test('goes on behind an allowed host that was cut as another word', () => {
    const rail = createTextRail({ isAllowed: (host) => allowed.matches(host), removesInvisible: true }, { links: 0, invisible: 0 })
    const said = rail.step('https://wiki.acme.example') + rail.finish() + rail.step('.evil.example/x') + rail.finish()
    expect(said).toBe('https://wiki.acme.example .evil.example/x')
    const cut = createTextRail({ isAllowed: () => false, removesInvisible: true }, { links: 0, invisible: 0 })
    expect(cut.step('https:') + cut.finish() + cut.step('//evil.example') + cut.finish()).toBe('https[:]//evil.example')
  })

  test('holds back no more than what may become an address', () => {
    const rail = createTextRail({ isAllowed: () => false, removesInvisible: true }, { links: 0, invisible: 0 })
    expect(['word', ' https', ':', ' then'].map((piece) => rail.step(piece))).toEqual(['word', ' https', '', ': then'])
  })
})
