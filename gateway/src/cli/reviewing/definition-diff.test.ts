import { expect, test } from 'vitest'
import { definitionDiff, spelledOut } from './definition-diff.ts'

const tool = {
  name: 'read',
  description: 'Reads a note.\nOf today.',
  inputSchema: { type: 'object', properties: { id: { type: 'string' } } },
}

test('only what differs is shown, with the lines around it counted', () => {
  const changed = {
    ...tool,
    description: 'Reads a note.\nOf anybody.',
    inputSchema: { ...tool.inputSchema, properties: { id: { type: 'number' } } },
  }
  expect(definitionDiff(tool, changed)).toEqual([
    '  description',
    '      (1 line as before)',
    '    - Of today.',
    '    + Of anybody.',
    '  inputSchema.properties.id.type',
    '    - string',
    '    + number',
  ])
  expect(definitionDiff(tool, tool)).toEqual([])
})

test('a new definition is shown whole, also what is empty', () => {
  expect(definitionDiff(undefined, { name: 'x', inputSchema: {} })).toEqual(['  name', '    + x', '  inputSchema', '    + {}'])
})

test('text and a value that is written like it are different', () => {
  expect(definitionDiff({ a: '1' }, { a: 1 })).toEqual(['  a', '    - 1', '    + 1'])
})

test('a name that looks like a path is told from one, and nothing hides in it', () => {
  expect(definitionDiff(undefined, { 'a.b': 1, a: { b: 2 } })).toEqual(['  "a.b"', '    + 1', '  a.b', '    + 2'])
  expect(definitionDiff(undefined, { 'a\u200bb': 1 })[0]).toBe(String.raw`  "a\u{200b}b"`)
})

test.each([
  ['a terminal would act on', 'a\u001b[2Kb', String.raw`a\u{1b}[2Kb`],
  ['is drawn as nothing', 'a\u{e0041}\u{e0100}\u3164b', String.raw`a\u{e0041}\u{e0100}\u{3164}b`],
  ['turns the direction of text', '\u202eb', String.raw`\u{202e}b`],
  ['ends a line only for some', 'a\u2028b\rc', String.raw`a\u{2028}b\u{d}c`],
])('what %s is spelled out', (_what, text, shown) => {
  expect(spelledOut(text)).toBe(shown)
})
