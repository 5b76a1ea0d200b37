import { expect, test } from 'vitest'
import type { Exchange } from '../connectors/exchange.ts'
import { SlotLife, type SlotState } from './slot-state.ts'

test('a server that fails again and again has been down since it failed first; each opening after the first is a restart', () => {
  let now = 1000
  const life = new SlotLife({ now: () => now })
  const become = (at: number, state: SlotState): readonly number[] => {
    now = at
    life.become(state)
    return [life.since, life.restarts]
  }
  const starting = { kind: 'starting', done: Promise.resolve(), isListed: false } as const
  const ready = (version: string): SlotState => ({ kind: 'ready', exchange: { era: 'legacy', version } as unknown as Exchange, since: 0 })
  expect([life.since, life.restarts, life.version]).toEqual([1000, 0, undefined])
  expect(become(2000, starting)).toEqual([2000, 0])
  expect(become(3000, { kind: 'failed', why: 'a' })).toEqual([3000, 0])
  expect(become(4000, starting)).toEqual([3000, 0])
  expect(become(5000, { kind: 'failed', why: 'b' })).toEqual([3000, 0])
  expect(become(6000, ready('2025-06-18'))).toEqual([6000, 0])
  expect(become(7000, { kind: 'asleep' })).toEqual([7000, 0])
  expect(become(8000, ready('2025-11-25'))).toEqual([8000, 1])
  expect([life.era, life.version]).toEqual(['legacy', '2025-11-25'])
})
