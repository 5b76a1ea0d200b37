import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { batchText, rowsOf } from './batch-text.ts'

describe('the text of a batch', () => {
  const anyText = fc.string({ unit: 'binary' })
  const row = fc.record({
    json: fc.jsonValue().map((value) => JSON.stringify(value)),
    id: anyText,
    time: fc.integer(),
    session: fc.option(anyText),
    turn: fc.option(anyText),
  })

  test('gives back every row as it was, whatever its strings hold', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1 }), (rows) => {
        expect(rowsOf(batchText(rows))).toEqual(rows)
      }),
    )
  })

  test('keeps line breaks, separators and halves of characters in what was recorded', () => {
    const json = JSON.stringify({ reason: 'a\nb\u2028c\ud800' })
    const rows = [{ json, id: 'a\nb', time: 1, session: '', turn: null }]
    expect(rowsOf(batchText(rows))).toEqual(rows)
  })

  test('is refused when texts and columns do not match', () => {
    const text = batchText([{ json: '{}', id: 'a', time: 1, session: null, turn: null }])
    expect(() => rowsOf(`${text}\n{}`)).toThrow('damaged')
    expect(() => rowsOf(text.slice(0, text.indexOf('\n')))).toThrow('damaged')
  })
})
