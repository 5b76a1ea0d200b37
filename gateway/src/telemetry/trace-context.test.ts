/** W3C Trace Context, level 2. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatTraceparent, parseTraceContext } from './trace-context.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'

describe('traceparent', () => {
  test('of version 00 is read', () => {
    expect(parseTraceContext(`00-${traceId}-${spanId}-01`, undefined)).toMatchObject({ traceId, spanId, flags: 1 })
  })

  test('of a later version may carry more', () => {
    expect(parseTraceContext(`01-${traceId}-${spanId}-00-more`, undefined)).toMatchObject({ traceId, flags: 0 })
  })

  test.each([
    ['more in version 00', `00-${traceId}-${spanId}-01-more`],
    ['version ff', `ff-${traceId}-${spanId}-01`],
    ['upper case', `00-${traceId.toUpperCase()}-${spanId}-01`],
    ['a zero trace id', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['a zero parent id', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['a header break', `00-${traceId}-${spanId}-01\r\nx: y`],
    ['a trailing line feed', `00-${traceId}-${spanId}-01\n`],
    ['nothing', ''],
  ])('with %s is dropped', (_name, text) => {
    expect(parseTraceContext(text, 'vendor=1')).toBeUndefined()
  })

  test('that we write is one we read', () => {
    const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length - 1}}[1-9a-f]$`))
    fc.assert(
      fc.property(hex(32), hex(16), fc.integer({ min: 0, max: 255 }), (trace, span, flags) => {
        expect(parseTraceContext(formatTraceparent(trace, span, flags), undefined)).toMatchObject({
          traceId: trace,
          spanId: span,
          flags: flags & 1,
        })
      }),
    )
  })
})

describe('tracestate', () => {
  test.each([
    ['a=1,b@c=2', 'a=1,b@c=2'],
    ['a=1\r\nx: y', undefined],
    ['no-value', undefined],
    [Array.from({ length: 33 }, (_, i) => `k${i}=1`).join(','), undefined],
    [`a=${'x'.repeat(600)}`, undefined],
  ])('%j', (text, expected) => {
    expect(parseTraceContext(`00-${traceId}-${spanId}-01`, text)?.tracestate).toBe(expected)
  })
})
