import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseReferences } from './references-in-text.ts'

describe('a value', () => {
  test.each<[string, unknown]>([
    ['', []],
    ['plain $ text }', ['plain $ text }']],
    ['$${A}', ['${A}']],
    ['a${A}b', ['a', { source: '${A}', name: 'A', fallback: undefined }, 'b']],
    ['${A:-}', [{ source: '${A:-}', name: 'A', fallback: [] }]],
    ['${A:-x:-y}', [{ source: '${A:-x:-y}', name: 'A', fallback: ['x:-y'] }]],
    ['${file:a b.txt}', [{ source: '${file:a b.txt}', file: 'a b.txt' }]],
  ])('%j', (text, parts) => {
    expect(parseReferences(text)).toEqual(parts)
  })

  test('may have a default that refers to something itself', () => {
    const inner = { source: '${B:-x${file:f}}', name: 'B', fallback: ['x', { source: '${file:f}', file: 'f' }] }
    expect(parseReferences('${A:-p${B:-x${file:f}}q}r')).toEqual([
      { source: '${A:-p${B:-x${file:f}}q}', name: 'A', fallback: ['p', inner, 'q'] },
      'r',
    ])
  })

  test.each([
    ['${A', /never closed/],
    ['${A:-x', /never closed/],
    ['${A:-${B}', /never closed/],
    ['${', /never closed/],
    ['${}', /not a reference/],
    ['${A-x}', /not a reference/],
    ['${A:=x}', /not a reference/],
    ['${A:-${B:?x}}', /not a reference/],
    ['${1A}', /not a reference/],
    ['${file:${A}}', /cannot hold a reference/],
    ['${A:-'.repeat(10) + '}'.repeat(10), /nested/],
  ])('is refused when it is half understood: %s', (text, problem) => {
    expect(parseReferences(text)).toEqual({ problem: expect.stringMatching(problem) })
  })

  test('never keeps the characters `${` but where they were written `$${`', () => {
    const text = fc.string({ unit: fc.constantFrom('$', '{', '}', 'A', ':', '-', 'file:', 'x'), maxLength: 24 })
    fc.assert(
      fc.property(text, (written) => {
        const parts = parseReferences(written)
        if ('problem' in parts) return
        const plain = (from: typeof parts): string[] =>
          from.flatMap((part) => (typeof part === 'string' ? [part] : 'name' in part ? plain(part.fallback ?? []) : []))
        if (plain(parts).some((one) => one.includes('${'))) expect(written).toContain('$$')
      }),
    )
  })
})
