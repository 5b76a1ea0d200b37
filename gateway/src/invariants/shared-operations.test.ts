/** Invariant 6 for what several gateways count and hand on: nothing is lost and nothing is there twice. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { add, pop, push } from '../state/state-operations.ts'
import type { Ticket } from '../state/state-values.ts'
import { testClock, testState } from '../turns/state-and-clock.fixture.ts'
import { delayedState } from './delayed-state.fixture.ts'

const later = 1_900_000_000_000

test('no count is lost, whoever counts at once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 20 }), async (seed, amounts) => {
      const shared = delayedState(testState(testClock()), seed)
      const seen = await Promise.all(amounts.map(async (amount) => add(shared, 'count', 'k', amount, later)))
      const total = amounts.reduce((sum, amount) => sum + amount, 0)
      expect(await add(shared, 'count', 'k', 0, later)).toBe(total)
      expect(seen).toContain(total)
    }),
  )
})

test('what is pushed is popped once, or told to have fallen off', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.array(fc.boolean(), { minLength: 1, maxLength: 24 }), async (seed, steps) => {
      const shared = delayedState(testState(testClock()), seed)
      const left: string[] = []
      const pushed: string[] = []
      await Promise.all(
        steps.map(async (isPush, index) => {
          if (isPush) {
            pushed.push(`${index}`)
            left.push(...(await push(shared, 'ticket', 'k', ticket(`${index}`), { most: 4, expires: later })).map(({ callId }) => callId))
          } else {
            const popped = await pop(shared, 'ticket', 'k', later)
            if (popped !== undefined) left.push(popped.callId)
          }
        }),
      )
      for (;;) {
        const popped = await pop(shared, 'ticket', 'k', later)
        if (popped === undefined) break
        left.push(popped.callId)
      }
      expect(left.sort()).toEqual(pushed.sort())
    }),
  )
})

function ticket(callId: string): Ticket {
  return { session: 'ses_1', turn: null, modelCall: 'mc_1', callId, callKey: callId, decision: callId, expires: later }
}
