import { describe, expect, test } from 'vitest'
import { digestJson } from '../../core/hash.ts'
import type { Ticket } from '../../state/state-values.ts'
import { testClock, testState } from '../state-and-clock.fixture.ts'
import { giveBackTicket, holdTicket, mintTicket, ticketKey, useTicket } from './tickets.ts'

const secret = Buffer.alloc(32, 1)

function ticket(callId: string, expires: number): Ticket {
  return { session: 'ses_1', turn: 'turn_1', modelCall: 'mc_1', callId, callKey: `mc_1:${callId}`, decision: `dec_${callId}`, expires }
}

function waiting(...callIds: readonly string[]) {
  const clock = testClock()
  const state = testState(clock)
  for (const id of callIds) void mintTicket(state, 'key', ticket(id, clock.now() + 1000_000), clock.now())
  return { clock, state, hold: async (callId?: string) => holdTicket(state, 'key', callId, clock.now()) }
}

describe('a ticket', () => {
  test('is held by one call at a time', async () => {
    const { hold } = waiting('c1')
    expect((await hold())?.callId).toBe('c1')
    expect(await hold()).toBeUndefined()
  })

  test('is used up when the decision is on record', async () => {
    const { clock, state, hold } = waiting('c1')
    const held = (await hold()) as Ticket
    await useTicket(state, 'key', held)
    clock.advance(200_000)
    expect(await hold()).toBeUndefined()
  })

  test('may be used again after a decision that could not be recorded', async () => {
    const { state, hold } = waiting('c1')
    await giveBackTicket(state, 'key', (await hold()) as Ticket)
    expect((await hold())?.callId).toBe('c1')
  })

  test('that is given back says who else has come to make the call meanwhile', async () => {
    const { clock, state, hold } = waiting('c1')
    const held = (await hold()) as Ticket
    await mintTicket(state, 'key', { ...ticket('c2', clock.now() + 1000_000), session: 'ses_2' }, clock.now())
    await giveBackTicket(state, 'key', held)
    await hold('c2')
    expect(await hold()).toMatchObject({ callId: 'c1', alike: ['ses_2'] })
  })

  test('is free again when whoever held it has gone', async () => {
    const { clock, hold } = waiting('c1')
    await hold()
    clock.advance(120_000)
    expect((await hold())?.callId).toBe('c1')
  })

  test('of several for the same call the newest is taken: an older one may belong to a call that was never made', async () => {
    const { hold } = waiting('abandoned', 'made')
    expect((await hold())?.callId).toBe('made')
    expect((await hold())?.callId).toBe('abandoned')
  })

  test('is the one with the call id, where the client sends it', async () => {
    const { hold } = waiting('c1', 'c2', 'c3')
    expect((await hold('c2'))?.callId).toBe('c2')
    expect((await hold('unknown'))?.callId).toBe('c3')
  })

  test('exists for each of two conversations that make the same call at the same moment', async () => {
    const { hold } = waiting('c1', 'c2')
    const held = await Promise.all([hold(), hold(), hold()])
    expect(held.map((one) => one?.callId).sort()).toEqual(['c1', 'c2', undefined])
  })

  test('says whose call it may be as well, unless the client names it', async () => {
    const clock = testClock()
    const state = testState(clock)
    for (const id of ['one', 'two', 'three'])
      await mintTicket(state, 'key', { ...ticket(id, clock.now() + 1000), session: `ses_${id}` }, clock.now())
    expect((await holdTicket(state, 'key', 'two', clock.now()))?.alike).toBeUndefined()
    expect(await holdTicket(state, 'key', undefined, clock.now())).toMatchObject({ session: 'ses_three', alike: ['ses_one', 'ses_two'] })
    clock.advance(1000)
    await mintTicket(state, 'key', { ...ticket('late', clock.now() + 1000), session: 'ses_late' }, clock.now())
    expect((await holdTicket(state, 'key', undefined, clock.now()))?.alike).toBeUndefined()
  })

  test('expires, also while newer ones keep their list alive, and at the very millisecond', async () => {
    const clock = testClock()
    const state = testState(clock)
    await mintTicket(state, 'key', ticket('new', clock.now() + 5000), clock.now())
    await mintTicket(state, 'key', ticket('old', clock.now() + 2000), clock.now())
    clock.advance(2000)
    expect((await holdTicket(state, 'key', undefined, clock.now()))?.callId).toBe('new')
    expect(await holdTicket(state, 'key', undefined, clock.now())).toBeUndefined()
  })

  test('fits only the same principal, application, agent, tool and arguments, however the arguments are written', () => {
    const caller = { principal: { id: 'alice' } as never, consumer: 'app', actor: 'agent' }
    const keyOf = (more: object, tool = 'mail__send', args: object = { to: 'a', body: 'b' }) =>
      ticketKey(secret, { ...caller, ...more }, tool, digestJson(args))
    expect(keyOf({}, 'mail__send', { body: 'b', to: 'a' })).toBe(keyOf({}))
    const others = [
      keyOf({ principal: { id: 'bob' } }),
      keyOf({ consumer: 'other' }),
      keyOf({ consumer: null }),
      keyOf({ actor: 'other' }),
      keyOf({ actor: null }),
      keyOf({}, 'mail__draft'),
      keyOf({}, 'mail__send', { to: 'a', body: 'c' }),
    ]
    expect(new Set([keyOf({}), ...others]).size).toBe(others.length + 1)
  })
})
