import { expect, test } from 'vitest'
import { testClock } from '../turns/state-and-clock.fixture.ts'
import { SealedMessages } from './sealed-messages.ts'

const secret = 'the secret that all replicas have'

test('a request is opened once by whoever has the secret, and by nobody else', () => {
  const clock = testClock()
  const { text } = new SealedMessages({ current: secret, previous: [] }, clock).sealRequest('b', 'kind', { n: 1 })
  const other = new SealedMessages({ current: secret, previous: [] }, clock)
  expect(other.openRequest(text)).toMatchObject({ to: 'b', kind: 'kind', payload: { n: 1 } })
  expect(other.openRequest(text)).toBeUndefined()
  expect(new SealedMessages({ current: 'another secret, of other people', previous: [] }, clock).openRequest(text)).toBeUndefined()
  expect(new SealedMessages({ current: 'the next secret of the cluster', previous: [secret] }, clock).openRequest(text)).toBeDefined()
})

test('an old request is not opened, and clocks may differ by five minutes', () => {
  const clock = testClock()
  const { text } = new SealedMessages({ current: secret, previous: [] }, clock).sealRequest('b', 'kind', null)
  clock.advance(5 * 60_000)
  expect(new SealedMessages({ current: secret, previous: [] }, clock).openRequest(text)).toBeDefined()
  clock.advance(2 * 60_000)
  expect(new SealedMessages({ current: secret, previous: [] }, clock).openRequest(text)).toBeUndefined()
})

test('an answer belongs to one request, and a request is no answer', () => {
  const messages = new SealedMessages({ current: secret, previous: [] }, testClock())
  const answer = messages.sealAnswer('one', { ok: true })
  expect(messages.openAnswer('one', answer)).toEqual({ ok: true })
  expect(messages.openAnswer('two', answer)).toBeUndefined()
  expect(messages.openRequest(answer)).toBeUndefined()
})
