import { expect, test } from 'vitest'
import { testClock } from '../turns/state-and-clock.fixture.ts'
import { SealedMessages } from './sealed-messages.ts'

const secret = 'the secret that all replicas have'

test('a request is taken once by whoever has the secret, and by nobody else', () => {
  const clock = testClock()
  const { id, ticket, text } = new SealedMessages({ current: secret, previous: [] }, clock).sealRequest('b', 'kind', { n: 1 })
  const other = new SealedMessages({ current: secret, previous: [] }, clock)
  expect(other.openTicket(ticket)).toBe(id)
  expect(other.openTicket(ticket)).toBeUndefined()
  expect(other.openRequest(id, text)).toEqual({ to: 'b', kind: 'kind', payload: { n: 1 } })
  const stranger = new SealedMessages({ current: 'another secret, of other people', previous: [] }, clock)
  expect([stranger.openTicket(ticket), stranger.openRequest(id, text)]).toEqual([undefined, undefined])
  const next = new SealedMessages({ current: 'the next secret of the cluster', previous: [secret] }, clock)
  expect([next.openTicket(ticket), next.openRequest(id, text)?.kind]).toEqual([id, 'kind'])
})

test('an old request is not taken, and clocks may differ by five minutes', () => {
  const clock = testClock()
  const { ticket } = new SealedMessages({ current: secret, previous: [] }, clock).sealRequest('b', 'kind', null)
  clock.advance(5 * 60_000)
  expect(new SealedMessages({ current: secret, previous: [] }, clock).openTicket(ticket)).toBeDefined()
  clock.advance(2 * 60_000)
  expect(new SealedMessages({ current: secret, previous: [] }, clock).openTicket(ticket)).toBeUndefined()
})

test('ticket, request and answer belong together, and none is taken for another', () => {
  const messages = new SealedMessages({ current: secret, previous: [] }, testClock())
  const [one, two] = [messages.sealRequest('b', 'kind', 1), messages.sealRequest('b', 'kind', 2)]
  const answer = messages.sealAnswer(one.id, { ok: true })
  expect(messages.openAnswer(one.id, answer)).toEqual({ ok: true })
  expect(messages.openAnswer(two.id, answer)).toBeUndefined()
  expect(messages.openRequest(two.id, one.text)).toBeUndefined()
  expect(messages.openRequest(one.id, answer)).toBeUndefined()
  expect(messages.openTicket(one.text)).toBeUndefined()
})
