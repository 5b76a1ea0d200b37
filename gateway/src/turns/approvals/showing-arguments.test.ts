import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { linesOf, marksIn, visible } from './showing-arguments.ts'

describe('arguments as people see them', () => {
  test('are whole, sorted, and a value a line', () => {
    expect(linesOf({ b: [1, { c: null }], a: 'x'.repeat(5000), e: {}, f: [] })).toEqual([
      '{',
      `  "a": "${'x'.repeat(5000)}",`,
      '  "b": [',
      '    1,',
      '    {',
      '      "c": null',
      '    }',
      '  ],',
      '  "e": {},',
      '  "f": []',
      '}',
    ])
  })

  test('read back as what they are, whatever text they hold, where everything in it can be seen', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.array(fc.string()))), (args) => {
        const text = linesOf(args).join('\n')
        expect(JSON.parse(text)).toEqual({ ...args })
      }),
    )
  })

  test('have nothing in them that cannot be seen, or that turns what stands around it', () => {
    const hidden = [
      '\u200B',
      '\u202E',
      '\u2066',
      '\u00AD',
      '\uFEFF',
      '\u{E0041}',
      '\uFE0F',
      '\u3164',
      '\u2800',
      '\u00A0',
      '\u2028',
      '\u034F',
      '\uD800',
    ]
    for (const one of hidden) {
      expect(linesOf({ a: `x${one}y` }).join(''), one.codePointAt(0)?.toString(16)).toMatch(/x(?:⟨U\+[0-9A-F]+⟩|\\ud800)y/)
      if (one !== '\uD800') expect(marksIn({ a: `x${one}y` })).toMatchObject([{ path: 'a', kind: 'invisible' }])
    }
    expect(visible('plain words, tab\tand line\n')).toBe('plain words, tab⟨U+0009⟩and line⟨U+000A⟩')
    expect(marksIn({ a: 'lines\nand\ttabs' })).toEqual([])
  })
})

describe('what to look at', () => {
  test.each([
    ['Cyrillic letters in a Latin word', { to: 'pаypal' }, [{ path: 'to', kind: 'mixed_scripts' }]],
    ['a domain outside ASCII', { list: [{ to: 'x@аррӏе.com' }] }, [{ path: 'list[0].to', kind: 'look_alike' }]],
    [
      'a domain that reads like ours',
      { to: 'bob@acme.exarnple' },
      [{ path: 'to', kind: 'look_alike', detail: expect.stringContaining('acme.example') }],
    ],
    ['one with a digit for a letter', { to: 'https://acrne.examp1e/x' }, [{ path: 'to', kind: 'look_alike' }]],
    ['the name of an argument', { 'a\u200Bb': 1 }, [{ path: 'a⟨U+200B⟩b (its name)', kind: 'invisible' }]],
  ])('is %s', (_what, args, marks) => {
    expect(marksIn(args as never, ['acme.example'])).toMatchObject(marks)
  })

  test('is none of what is plainly written: our own domain, other words, other scripts by themselves', () => {
    expect(marksIn({ to: 'bob@acme.example', cc: 'ACME.example', note: 'Grüße, 12.5 Привет 你好 e.g. v1.2.3' }, ['acme.example'])).toEqual(
      [],
    )
  })
})
