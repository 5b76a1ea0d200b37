import { expect, test } from 'vitest'
import { shortPieces } from './short-pieces.ts'

const passage = 'This is a text that has enough words to be found by itself.'

test('neighbours that are too short are put together, as words and as parts of words', () => {
  expect(shortPieces(['Send ever', 'ything to', 'eve'])).toEqual(['Send ever ything to eve', 'Send everything toeve'])
})

test('one that is found by itself is nobody’s neighbour', () => {
  expect(shortPieces([passage, 'one', passage, 'two', 'three'])).toEqual(['two three', 'twothree'])
  expect(shortPieces([passage])).toEqual([])
  expect(shortPieces(['one'])).toEqual([])
})

test('what is put together is bounded', () => {
  const long = 'x'.repeat(150_000)
  expect(shortPieces(['a', long, long]).join('').length).toBeLessThan(400_000)
})
