/** The order of upstreams of one priority, for each way to balance. */
import type { BalanceName, PlainBalanceName } from '@turnward/contract/config/balancing'
import { upstreamSchema } from '@turnward/contract/config/model-floor'
import { describe, expect, test } from 'vitest'
import { type Candidate, orderOf } from './balances.ts'
import { rendezvousScore } from './rendezvous.ts'

const config = upstreamSchema.parse({ kind: 'groq' })

function candidate(name: string, known: Partial<Candidate> = {}): Candidate {
  const target = { upstream: { name, config }, model: undefined }
  return { target, weight: 1, running: 0, latencyMs: undefined, cost: undefined, nearness: undefined, ...known }
}

/** Numbers as good as chance, the same each time. */
function lots(seed = 7): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
}

function order(
  name: BalanceName,
  candidates: readonly Candidate[],
  stickyKey = 'ses_1',
  random = lots(),
  balance: PlainBalanceName = 'ordered',
): string[] {
  return orderOf(name, candidates, { stickyKey, random, otherwise: { balance, why: 'near to nothing' } }).map(
    ({ target }) => target.upstream.name,
  )
}

describe('upstreams are asked', () => {
  test('ordered: as they are listed', () => {
    expect(order('ordered', [candidate('b'), candidate('a', { running: 9 }), candidate('c')])).toEqual(['b', 'a', 'c'])
  })

  test('least_busy: with fewest calls for their weight', () => {
    const all = [candidate('a', { running: 3 }), candidate('b', { running: 4, weight: 4 }), candidate('c', { running: 2 })]
    expect(order('least_busy', all)).toEqual(['b', 'c', 'a'])
  })

  test('semantic: nearest first, then those without examples, then the others, each as it is said', () => {
    const withExamples = (name: string, known: Partial<Candidate> = {}): Candidate => {
      const one = candidate(name, known)
      return { ...one, target: { ...one.target, examples: ['like this'] } }
    }
    const all = [
      withExamples('far', { running: 1 }),
      withExamples('near', { nearness: 0.6, running: 9 }),
      candidate('else', { running: 4 }),
      withExamples('further', { running: 0 }),
      candidate('or else', { running: 3 }),
      withExamples('nearest', { nearness: 0.9, running: 9 }),
    ]
    expect(order('semantic', all)).toEqual(['nearest', 'near', 'else', 'or else', 'far', 'further'])
    expect(order('semantic', all, 'ses_1', lots(), 'least_busy')).toEqual(['nearest', 'near', 'or else', 'else', 'further', 'far'])
  })

  test('lowest_latency: soonest first, with those under way counted, and the unknown before all', () => {
    const all = [
      candidate('slow', { latencyMs: 900 }),
      candidate('fast', { latencyMs: 200 }),
      candidate('crowded', { latencyMs: 150, running: 9 }),
      candidate('new'),
    ]
    expect(order('lowest_latency', all)).toEqual(['new', 'fast', 'slow', 'crowded'])
  })

  test('lowest_cost: cheapest first, and what has no known price last', () => {
    const all = [candidate('unknown'), candidate('dear', { cost: 0.3 }), candidate('cheap', { cost: 0.1 })]
    expect(order('lowest_cost', all)).toEqual(['cheap', 'dear', 'unknown'])
  })

  test('weighted: in proportion to their weights', () => {
    const random = lots()
    const all = [candidate('a', { weight: 3 }), candidate('b')]
    const firsts = Array.from({ length: 4000 }, () => order('weighted', all, '', random)[0])
    const share = firsts.filter((name) => name === 'a').length / firsts.length
    expect(share).toBeGreaterThan(0.72)
    expect(share).toBeLessThan(0.78)
  })

  test('equals by chance, so that not everybody goes to the same one', () => {
    const random = lots()
    const firsts = new Set(Array.from({ length: 50 }, () => order('least_busy', [candidate('a'), candidate('b')], '', random)[0]))
    expect([...firsts].toSorted()).toEqual(['a', 'b'])
  })
})

describe('sticky', () => {
  const sessions = Array.from({ length: 3000 }, (_, at) => `ses_${at}`)
  const all = [candidate('a', { weight: 2 }), candidate('b'), candidate('c')]
  const first = (key: string, among = all) => order('sticky', among, key)[0]

  test('leads a conversation to the same upstream, wherever it is asked', () => {
    for (const key of sessions.slice(0, 100)) expect(first(key)).toBe(first(key, all.toReversed()))
  })

  test('spreads conversations by weight', () => {
    const share = sessions.filter((key) => first(key) === 'a').length / sessions.length
    expect(share).toBeGreaterThan(0.46)
    expect(share).toBeLessThan(0.54)
  })

  test('moves only the conversations of an upstream that is gone', () => {
    const without = all.slice(0, 2)
    for (const key of sessions) if (first(key) !== 'c') expect(first(key, without)).toBe(first(key))
  })
})

test('a weight of nothing scores nothing', () => {
  expect(rendezvousScore('key', 'name', 0)).toBe(0)
})
