/** Of a result that may not go on as it is, nothing goes on but what stands for it. */
import { describe, expect, test } from 'vitest'
import { passedResult, passInHistory } from './passing-content.ts'

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
  test('goes on as it is, unchanged', () => expect(passedResult(result, { form: 'as it is' })).toBe(result))

  test.each([
    [{ form: 'withheld', handle: '[handle h_1]' } as const, '[handle h_1]'],
    [{ form: 'derived', text: 'It is an invoice.' } as const, 'It is an invoice.'],
  ])('is replaced whole: %j', (content, text) => {
    expect(passedResult(result, content)).toEqual({ content: [{ type: 'text', text }] })
    expect(passedResult({ ...result, isError: true }, content)).toEqual({ content: [{ type: 'text', text }], isError: true })
  })
})

describe('a result in a history', () => {
  test('goes on as it stands there', () => expect(() => passInHistory({ form: 'as it is' })).not.toThrow())

  test('lets nothing go on that should have been replaced', () => {
    expect(() => passInHistory({ form: 'withheld', handle: '[handle h_1]' })).toThrow(/cannot be withheld/)
    expect(() => passInHistory({ form: 'derived', text: 'It is an invoice.' })).toThrow(/cannot be withheld/)
  })
})
