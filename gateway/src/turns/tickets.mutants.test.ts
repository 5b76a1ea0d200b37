/** Expired tickets are no tickets, also while newer ones keep their list alive. */
import { expect, test } from 'vitest'
import { testClock, testState } from './test-state.ts'
import { mintTicket, takeTicket, type Ticket } from './tickets.ts'

test('an expired ticket is passed over for one that still lives', async () => {
  const clock = testClock()
  const state = testState(clock)
  const ticket = (callId: string, lifetime: number): Ticket => ({ session: 'ses_1', turn: 'turn_1', modelCall: 'mc_1', callId, callKey: `mc_1:${callId}`, decision: 'dec_1', expires: clock.now() + lifetime })
  await mintTicket(state, 'key', ticket('old', 1000))
  await mintTicket(state, 'key', ticket('new', 5000))
  clock.advance(2000)
  expect((await takeTicket(state, 'key', clock.now()))?.callId).toBe('new')
  expect(await takeTicket(state, 'key', clock.now())).toBeUndefined()
})

test('a ticket is gone at the millisecond it expires', async () => {
  const clock = testClock()
  const state = testState(clock)
  const expires = clock.now() + 1000
  await mintTicket(state, 'key', { session: 'ses_1', turn: 'turn_1', modelCall: 'mc_1', callId: 'c', callKey: 'mc_1:c', decision: 'dec_1', expires })
  clock.advance(1000)
  expect(await takeTicket(state, 'key', clock.now())).toBeUndefined()
})
