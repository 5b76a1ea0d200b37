/** A position says where to go on, as text that a client brings back. */
import { expect, test } from 'vitest'
import { isIn, type LogPosition, mostChains, positionIn, positionText, sizeOf, stretchesTo } from './log-position.ts'

const at = (lastWriter: number, seen: readonly (readonly [number, number])[], log = '0123abcd'): LogPosition => ({
  log,
  lastWriter,
  seen: new Map(seen),
})

test('reads as it was written, and is short for one chain', () => {
  for (const position of [
    at(0, [[0, 17]]),
    at(9, []),
    at(9, [
      [3, 2 ** 53 - 1],
      [9, 0],
    ]),
  ])
    expect(positionIn(positionText(position))).toEqual(position)
  expect(positionText(at(0, [[0, 17]]))).toBe('0123abcd.0~0-17')
})

test('of very many chains keeps the newest', () => {
  const all = Array.from({ length: mostChains + 5 }, (_, writer) => [writer, 1] as const)
  const { seen } = positionIn(positionText(at(2000, all)))
  expect([seen.size, Math.min(...seen.keys())]).toEqual([mostChains, 5])
})

test.each([
  '',
  '0',
  'x.0~0-1',
  '0123abcd.0~0',
  '0123abcd.0~0-9007199254740993',
  '0123abcd.2147483648',
  '0123abcd.1~2-1',
  '0123abcd.0~0-1\n',
])('is not %j', (text) => expect(() => positionIn(text)).toThrow(expect.objectContaining({ code: 'request.invalid' })))

test('has before it what was not seen: of new writers everything, of those that ended nothing', () => {
  const head = at(5, [
    [2, 10],
    [4, 3],
    [5, 7],
  ])
  const stretches = stretchesTo(head, at(4, [[2, 8]]))
  expect(stretches).toEqual([
    { writer: 2, from: 9, to: 10 },
    { writer: 5, from: 1, to: 7 },
  ])
  expect(sizeOf(stretches)).toBe(9)
})

test('is in a log that has got there, and in no other', () => {
  const head = at(5, [[2, 10]])
  expect(
    [at(5, [[2, 10]]), at(4, [[1, 99]]), at(5, [[2, 11]]), at(6, []), at(5, [[2, 1]], 'ffffffff')].map((one) => isIn(head, one)),
  ).toEqual([true, true, false, false, false])
})
