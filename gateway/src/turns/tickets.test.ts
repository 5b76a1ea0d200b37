import { describe, expect, test } from 'vitest'
import { digestJson } from '../core/hash.ts'
import { testClock, testState } from './test-state.ts'
import { mintTicket, takeTicket, ticketKey, type Ticket } from './tickets.ts'

const secret = Buffer.alloc(32, 1)

function ticket(callId: string, expires: number): Ticket {
  return { session: 'ses_1', turn: 'turn_1', modelCall: 'mc_1', callId, callKey: `mc_1:${callId}`, decision: 'dec_1', expires }
}

describe('a ticket', () => {
  test('is used up by one call', async () => {
    const clock = testClock()
    const state = testState(clock)
    await mintTicket(state, 'key', ticket('c1', clock.now() + 1000))
    expect((await takeTicket(state, 'key', clock.now()))?.callId).toBe('c1')
    expect(await takeTicket(state, 'key', clock.now())).toBeUndefined()
  })

  test('exists once for each of two equal calls of one message', async () => {
    const clock = testClock()
    const state = testState(clock)
    await mintTicket(state, 'key', ticket('c1', clock.now() + 1000))
    await mintTicket(state, 'key', ticket('c2', clock.now() + 1000))
    expect((await takeTicket(state, 'key', clock.now()))?.callId).toBe('c1')
    expect((await takeTicket(state, 'key', clock.now()))?.callId).toBe('c2')
  })

  test('exists for each of two conversations that make the same call at the same moment', async () => {
    const clock = testClock()
    const state = testState(clock)
    const minted = ['c1', 'c2'].map(async (call) => mintTicket(state, 'key', ticket(call, clock.now() + 1000)))
    await Promise.all(minted)
    const taken = ['c1', 'c2'].map(async () => takeTicket(state, 'key', clock.now()))
    expect((await Promise.all(taken)).map((one) => one?.callId)).toEqual(['c1', 'c2'])
  })

  test('expires', async () => {
    const clock = testClock()
    const state = testState(clock)
    await mintTicket(state, 'key', ticket('c1', clock.now() + 1000))
    clock.advance(1001)
    expect(await takeTicket(state, 'key', clock.now())).toBeUndefined()
  })

  test('fits only the same principal, tool and arguments, however the arguments are written', () => {
    const key = ticketKey(secret, 'alice', 'mail__send', digestJson({ to: 'a', body: 'b' }))
    expect(ticketKey(secret, 'alice', 'mail__send', digestJson({ body: 'b', to: 'a' }))).toBe(key)
    expect(ticketKey(secret, 'bob', 'mail__send', digestJson({ to: 'a', body: 'b' }))).not.toBe(key)
    expect(ticketKey(secret, 'alice', 'mail__draft', digestJson({ to: 'a', body: 'b' }))).not.toBe(key)
    expect(ticketKey(secret, 'alice', 'mail__send', digestJson({ to: 'a', body: 'c' }))).not.toBe(key)
  })
})
