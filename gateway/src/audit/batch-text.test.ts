import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { batchText, rowsOf } from './batch-text.ts'

describe('the text of a batch', () => {
  const id = fc.string({ unit: fc.constantFrom('a', 'Z', '0', '_', '-', 'é'), minLength: 1 })
  const row = fc.record({
    json: fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()).map((value) => JSON.stringify(value)),
    session: fc.option(id),
    turn: fc.option(id),
  })

  test('gives back every row as it was, whatever its record holds', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1 }), (rows) => {
        expect(rowsOf(batchText(rows))).toEqual(rows)
      }),
    )
  })

  test('keeps line breaks, separators and halves of characters in what was recorded', () => {
    const json = JSON.stringify({ reason: 'a\nb\tc\u2028d\ud800' })
    const rows = [{ json, session: null, turn: 't' }]
    expect(rowsOf(batchText(rows))).toEqual(rows)
  })

  const plain = { json: '{}', session: null, turn: null }

  test.each([
    ['an id with a line break', batchText([{ ...plain, session: 'a\nb' }])],
    ['an id with a tab', batchText([{ ...plain, turn: 'a\tb' }])],
    ['a record that is no object', batchText([{ ...plain, json: '[]' }])],
    ['a row without its record', batchText([plain]).slice(0, -3)],
    ['a record cut off', batchText([plain]).slice(0, -1)],
    ['nothing', ''],
  ])('is refused as a whole: %s', (_name, text) => {
    expect(() => rowsOf(`${batchText([plain])}\n${text}`)).toThrow('damaged')
  })
})
