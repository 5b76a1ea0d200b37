import { describe, expect, test } from 'vitest'
import { median, percentile } from './statistics.ts'

describe('statistics', () => {
  test('the median of an even number of values lies between the two in the middle', () => {
    expect(median([9, 1, 3, 5])).toBe(4)
    expect(median([7, 1, 3])).toBe(3)
  })

  test('a percentile is a value that was measured', () => {
    const sorted = Array.from({ length: 100 }, (_, index) => index + 1)
    expect([percentile(sorted, 0.5), percentile(sorted, 0.99), percentile(sorted, 1), percentile([4], 0.99)]).toEqual([50, 99, 100, 4])
  })

  test('nothing measured is not a number', () => {
    expect(percentile([], 0.5)).toBeNaN()
    expect(median([])).toBeNaN()
  })
})
