import { expect, test } from 'vitest'
import { secondsOf, windowOf } from './windows.ts'

test.each([
  [60, '1m', 1],
  [3600, '1h', 1],
  [86_400, '1d', 1],
  [7 * 86_400, 'calendar_week', 1],
  [30 * 86_400, 'calendar_month', 1],
  [30, '1m', 2],
  [300, '1m', 0.2],
  [7200, '1h', 0.5],
  [60 * 86_400, 'calendar_month', 0.5],
])('%i seconds are counted in a window of %s, %f times as much', (seconds, window, factor) => {
  const found = windowOf(seconds)
  expect(found).toMatchObject({ window, factor })
  expect(found?.why === undefined).toBe(seconds === 60 || seconds === 3600 || seconds === 86_400)
})

test.each([0, -60, Number.NaN, Number.POSITIVE_INFINITY])('%s seconds are no window', (seconds) => {
  expect(windowOf(seconds)).toBeUndefined()
})

test.each([
  ['30d', 30 * 86_400],
  ['1mo', 30 * 86_400],
  ['24h', 86_400],
  ['15m', 900],
  ['60s', 60],
  ['1w', 604_800],
])('%s is a length of time', (text, seconds) => {
  expect(secondsOf(text)).toBe(seconds)
})

test.each(['', 'daily', '1y', '-1d', '1.5h', '9999999d'])('%s is none', (text) => {
  expect(secondsOf(text)).toBeUndefined()
})
