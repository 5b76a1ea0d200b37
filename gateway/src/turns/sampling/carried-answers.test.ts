import { expect, test } from 'vitest'
import type { AskAnswer } from '../../tools/asks.ts'
import { answeredBefore, carried, requestState } from './carried-answers.ts'

const secret = Buffer.alloc(32, 1)
const words = new Map<string, AskAnswer>([['summary', { result: { content: { type: 'text', text: 'words' } } }]])

test('answers of a model come back with those of the client, and count', () => {
  const token = carried(secret, { state: 'of the request', answers: words, count: 2 }) ?? ''
  const answers = new Map<string, AskAnswer>([['confirm', { result: { action: 'accept' } }]])
  expect(answeredBefore(secret, { state: token, answers })).toEqual({
    resumed: { state: 'of the request', answers: new Map([...answers, ...words]) },
    count: 2,
  })
  expect(requestState(secret, token)).toBe('of the request')
})

test('a client cannot put its own answer in the place of a model’s', () => {
  const token = carried(secret, { state: 'of the request', answers: words, count: 1 }) ?? ''
  const forged = new Map([['summary', { result: { content: { type: 'text', text: 'forged' } } }]])
  expect(answeredBefore(secret, { state: token, answers: forged })?.resumed.answers).toEqual(words)
})

test('what was not made here is no such state', () => {
  const token = carried(secret, { state: 'a', answers: words, count: 1 }) ?? ''
  for (const state of [
    token.replace(/..$/, (last) => (last === 'xx' ? 'yx' : 'xx')),
    's.made up',
    'plain',
    carried(Buffer.alloc(32, 2), { state: 'a', answers: words, count: 1 }) ?? '',
  ]) {
    expect(answeredBefore(secret, { state, answers: new Map() })).toBeUndefined()
    expect(requestState(secret, state)).toBe(state)
  }
  expect(answeredBefore(secret, undefined)).toBeUndefined()
})

test('more than a client can carry is not given to it', () => {
  const long = new Map([['a', { result: { content: { type: 'text', text: 'x'.repeat(600_000) } } }]])
  expect(carried(secret, { state: 'a', answers: long, count: 1 })).toBeUndefined()
})
