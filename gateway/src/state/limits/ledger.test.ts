/** Reserving over several limits where the state takes no more in the middle of it. */
import { expect, test } from 'vitest'
import { testClock } from '../../turns/state-and-clock.fixture.ts'
import { openStateStore } from '../memory-state-store.ts'
import type { StateEntries } from '../state-entries.ts'
import { Ledger } from './ledger.ts'
import type { Counter } from './limit-use.ts'

const nothingOnDisk: StateEntries = {
  write: async () => {},
  pages: async function* () {},
  read: async () => undefined,
  keys: async function* () {},
  purge: async () => {},
}
/** So many changes may wait for the disk. */
const mostWaiting = 20_000
const month = { kind: 'calendar', unit: 'month', timezone: 'UTC' } as const
const [requests, tokens]: readonly [Counter, Counter] = [
  { key: 'requests', limit: 6, window: month, isHeld: false },
  { key: 'tokens', limit: 100, window: month, isHeld: false },
]

test('what was reserved before the disk was behind is given back, and is no use of anybody', async () => {
  const clock = testClock()
  const state = await openStateStore({ entries: nothingOnDisk, clock, maxEntries: mostWaiting })
  const ledger = new Ledger(state, clock, () => 60_000)
  const claims = [requests, tokens].map((counter) => ({ counter, amount: 1, isSoft: false }))
  for (let one = 1; one < mostWaiting; one += 1)
    void state.put('limit', `other-${one}`, { from: 0, used: 0, before: 0, open: {} }, clock.now() + 1000)
  expect(() => ledger.reserve(claims)).toThrow(expect.objectContaining({ code: 'store.failed' }) as Error)
  expect(await ledger.standings([requests, tokens])).toMatchObject([{ used: 0 }, { used: 0 }])
  await state.flush()
  expect(await ledger.reserve(claims)).toMatchObject({ refused: undefined, standings: [{ used: 1 }, { used: 1 }] })
  ledger.close()
  await state.close()
})
