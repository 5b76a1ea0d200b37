import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AnswerReader } from './answer-reader.ts'

const whole = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\ndata: 0\r\n2\r\n\n\n\r\n0\r\n\r\n'

/** Index of the piece after which the reader says that the answer ended; -1 for never. */
function endOf(pieces: readonly string[]): number {
  const reader = new AnswerReader()
  return pieces.findIndex((piece) => reader.push(Buffer.from(piece)))
}

describe('where an answer ends', () => {
  test.each([
    ['a length', whole],
    ['chunks', chunked],
  ])('an answer with %s ends with its last byte, however it is cut', (_name, answer) => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: answer.length - 1 })), (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), answer.length]
        const pieces = at.slice(1).map((end, index) => answer.slice(at[index], end))
        expect(endOf(pieces)).toBe(pieces.length - 1)
      }),
    )
  })

  test('the status and the first byte of the body are seen when they arrive', () => {
    const reader = new AnswerReader()
    reader.push(Buffer.from('HTTP/1.1 429 Too Many Requests\r\ncontent-length: 2\r\n\r\n'))
    expect([reader.status, reader.bodyBegan]).toEqual([429, false])
    reader.push(Buffer.from('{'))
    expect(reader.bodyBegan).toBe(true)
  })

  test('an empty answer ends with its head', () => {
    expect(endOf(['HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n'])).toBe(0)
  })
})
