import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Counter, Histogram } from './cells.ts'

const description = { name: 'm', description: 'd' }

test('a histogram counts every value once, in the first bucket that reaches it', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 20, noNaN: true })), (values) => {
      const boundaries = [1, 2.5, 5, 10]
      const histogram = new Histogram(description, boundaries)
      const cell = histogram.cell('a', () => ({ a: 1 }))
      for (const value of values) cell.record(value)
      const expected = [...boundaries, Infinity].map(
        (upTo, index) => values.filter((value) => value <= upTo && value > (boundaries[index - 1] ?? -1)).length,
      )
      const [point] = histogram.data().dataPoints
      expect(point?.value.buckets).toEqual({ boundaries, counts: expected })
      expect(point?.value.count).toBe(values.length)
      expect(point?.value.sum).toBeCloseTo(
        values.reduce((sum, value) => sum + value, 0),
        6,
      )
    }),
  )
})

test('what is no number, or below zero, is not counted', () => {
  const histogram = new Histogram(description, [1])
  const cell = histogram.cell('a', () => ({}))
  for (const value of [Number.NaN, -1]) cell.record(value)
  expect(histogram.data().dataPoints[0]?.value).toMatchObject({ sum: 0, count: 0 })
})

test('labels are made once for each key, and what was read does not change afterwards', () => {
  const counter = new Counter(description)
  let made = 0
  const count = (): void => void (counter.cell('a', () => ({ made: (made += 1) })).value += 1)
  count()
  const before = counter.data()
  count()
  expect(before.dataPoints).toMatchObject([{ attributes: { made: 1 }, value: 1 }])
  expect(counter.data().dataPoints).toMatchObject([{ attributes: { made: 1 }, value: 2 }])
})

test('beyond its bound a metric does not grow: the rest counts together and nothing is lost', () => {
  const counter = new Counter(description)
  for (let index = 0; index < 2500; index += 1) counter.cell(`k${index}`, () => ({ index })).value += 1
  const { dataPoints } = counter.data()
  expect(dataPoints).toHaveLength(2001)
  expect(dataPoints.at(-1)).toMatchObject({ attributes: { 'otel.metric.overflow': true }, value: 500 })
})
