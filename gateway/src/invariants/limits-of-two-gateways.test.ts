/**
 * Two gateways and their limits, over every way of sharing a state: whatever they reserve, settle and give back in whatever
 * order, what is reserved is settled or given back, and no limit is ever passed.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Ledger } from '../state/limits/ledger.ts'
import type { Counter } from '../state/limits/limit-use.ts'
import { testClock } from '../turns/state-and-clock.fixture.ts'
import { sharingWays } from './sharing.fixture.ts'

const month = { kind: 'calendar', unit: 'month', timezone: 'UTC' } as const
const counters: readonly Counter[] = [
  { key: 'tokens', limit: 100, window: month, isHeld: false },
  { key: 'requests', limit: 6, window: month, isHeld: false },
  { key: 'running', limit: 3, window: { kind: 'whole' }, isHeld: true },
]

/** A call: at which gateway, what it reserves and uses of each limit, and whether it is given back. */
const calls = fc.array(
  fc.record({
    isThere: fc.boolean(),
    tokens: fc.integer({ min: 1, max: 40 }),
    used: fc.integer({ min: 0, max: 40 }),
    isGivenBack: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
)

describe.each(sharingWays)('over $way', ({ isMissing, share, open }) => {
  test.skipIf(isMissing)('reserved is settled or given back, and no limit is passed', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(calls, fc.integer({ min: 1, max: 1_000_000 }), async (planned, seed) => {
        await using shared = await open(seed)
        const clock = testClock()
        const [here, there] = [shared.here, shared.there].map((state) => new Ledger(state, clock, () => 60_000)) as [Ledger, Ledger]
        let used = 0
        let requests = 0
        // All at once: what comes between what is the state's to say.
        await Promise.all(
          planned.map(async ({ isThere, tokens, used: actual, isGivenBack }) => {
            const ledger = isThere ? there : here
            const amounts = [tokens, 1, 1]
            const { refused, standings } = await ledger.reserve(
              counters.map((counter, at) => ({ counter, amount: amounts[at] ?? 0, isSoft: false })),
            )
            for (const { used: taken, limit } of standings) expect(taken).toBeLessThanOrEqual(limit)
            if (refused !== undefined) return
            // No more than was reserved, so that the limit can be held to.
            const spent = isGivenBack ? [0, 0, 0] : [Math.min(actual, tokens), 1, 0]
            used += spent[0] ?? 0
            requests += spent[1] ?? 0
            await ledger.settle(counters.map((counter, at) => ({ counter, amount: amounts[at] ?? 0, actual: spent[at] ?? 0 })))
          }),
        )
        // Seen from either side, nothing is left open, and what was used is what is counted.
        for (const ledger of [here, there]) {
          expect((await ledger.standings(counters)).map((standing) => standing.used)).toEqual([used, requests, 0])
          expect(ledger.outstanding).toBe(0)
          ledger.close()
        }
      }),
      { numRuns: Math.max(3, Math.ceil((40 * share) / 100)) },
    )
  })

  test.skipIf(isMissing)('a hundred callers at the edge of a limit get exactly what there is', { timeout: 60_000 }, async () => {
    await using shared = await open(7)
    const [here, there] = [shared.here, shared.there].map((state) => new Ledger(state, testClock(), () => 60_000)) as [Ledger, Ledger]
    const counter: Counter = { key: 'edge', limit: 40, window: month, isHeld: false }
    const results = await Promise.all(
      Array.from({ length: 100 }, async (_, at) => (at % 2 === 0 ? here : there).reserve([{ counter, amount: 1, isSoft: false }])),
    )
    expect(results.filter(({ refused }) => refused === undefined)).toHaveLength(40)
    here.close()
    there.close()
  })
})
