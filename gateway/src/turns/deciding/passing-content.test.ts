/** Of a result that may not go on as it is, nothing goes on but what stands for it. */
import { describe, expect, test } from 'vitest'
import { passedResult } from './passing-content.ts'

const result = {
  content: [
    { type: 'text', text: 'secret' },
    { type: 'image', data: 'c2VjcmV0', mimeType: 'image/png' },
  ],
  structuredContent: { secret: true },
  isError: false,
  _meta: { secret: 1 },
}

describe('the result of a tool of ours', () => {
  test('goes on as it is, unchanged', () => expect(passedResult(result, undefined)).toBe(result))

  test('is replaced whole by what stands for it', () => {
    const text = '⟦handle:h_1⟧'
    expect(passedResult(result, text)).toEqual({ content: [{ type: 'text', text }] })
    expect(passedResult({ ...result, isError: true }, text)).toEqual({ content: [{ type: 'text', text }], isError: true })
  })
})
