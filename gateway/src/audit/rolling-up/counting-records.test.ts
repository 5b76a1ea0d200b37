/** What records come to, however they are divided. */
import type { DecisionRecord } from '@turnward/contract/decision'
import { assert, array, constantFrom, integer, property, record, tuple } from 'fast-check'
import { expect, test } from 'vitest'
import { joined, labelOf, outcomeOf, type Part } from '../../store/summaries/part.ts'
import { decision } from '../records.fixture.ts'
import { countRecords } from './counting-records.ts'

const untrusted = { trust: 'untrusted', audience: [['alice']] }
const model: Partial<DecisionRecord> = { kind: 'model_call', subject: 'm' }
const onePart = (...records: readonly Partial<DecisionRecord>[]): Part => {
  const [part] = countRecords(records.map(decision)).turns
  if (part === undefined) throw new Error('no turn')
  return part
}

test('a call of a model counts once, however many upstreams were asked, and how it ended is known once it has', () => {
  const asked: readonly Partial<DecisionRecord>[] = [model, { ...model, routing: { balance: 'ordered', why: 'next', attempt: 2 } }]
  expect(onePart(...asked)).toMatchObject({ modelCalls: 0, records: 2, refusals: 0 })
  expect(outcomeOf(onePart(...asked))).toBeNull()
  const ended = { ...model, type: 'outcome', outcome: 'ok', usage: { inputTokens: 5, outputTokens: 2 } } as const
  expect(onePart(...asked, ended)).toMatchObject({ modelCalls: 1, totals: { inputTokens: 5, outputTokens: 2 } })
  expect(outcomeOf(onePart(...asked, ended))).toBe('ok')
  expect(outcomeOf(onePart(...asked, ended, model))).toBeNull()
})

test('what was refused counts once: a model nobody granted, a limit, a proposal, a call; not what a person denied', () => {
  const refuse = { verdict: 'deny', action: 'refuse' } as const
  const digest = 'd'
  const part = onePart(
    { ...model, ...refuse },
    model,
    { ...model, ...refuse, type: 'outcome', outcome: 'refused' },
    { ...refuse, kind: 'tool_proposal' },
    refuse,
    { ...refuse, type: 'outcome', outcome: 'refused' },
    { kind: 'approval', approval: { id: 'ap', event: 'asked', digest } },
    { ...refuse, kind: 'approval', approval: { id: 'ap', event: 'denied', digest } },
  )
  expect(part).toMatchObject({ modelCalls: 2, proposals: 1, toolCalls: 1, refusals: 4, approvals: 1 })
  expect([part.verdicts, part.actions, part.models, part.tools]).toEqual([['allow', 'deny'], ['refuse', 'release'], ['m'], ['mail__send']])
})

test('the label of a turn is that of its session, not that of its sub-agents', () => {
  const part = onePart({ labelAfter: { trust: 'trusted', audience: [] } }, { session: 'ses_2', labelAfter: untrusted })
  expect(labelOf(part)).toEqual({ trust: 'trusted', audience: [] })
  expect(part.trusts).toEqual(['trusted', 'untrusted'])
  expect(countRecords([decision({ session: 'ses_2', labelAfter: untrusted })]).sessions.map(labelOf)).toEqual([untrusted])
})

test('usage is told apart by whoever and whatever it is of, hour by hour', () => {
  const ended: Partial<DecisionRecord> = { ...model, type: 'outcome', outcome: 'ok', groups: ['b', 'a'], upstream: 'u', consumer: 'app' }
  const cost = { amount: 0.1, currency: 'USD', prices: 'p' } as const
  const at = 3_600_000 * 100
  const { usage } = countRecords([
    decision({ ...ended, time: at + 5, cost, usage: { inputTokens: 1 } }),
    decision({ ...ended, time: at + 6, outcome: 'error', cost: { ...cost, unpriced: ['m'] }, groups: ['a', 'b'] }),
    decision({ ...ended, time: at + 3_600_000 }),
    decision({ ...model, time: at }),
    decision({ time: at }),
    decision({ ...ended, time: at, route: 'm*' }),
  ])
  expect(usage).toHaveLength(3)
  const scope = { principal: 'alice', groups: '["a","b"]', key: 'ci', consumer: 'app', agent: '', model: 'm', upstream: 'u', route: 'm' }
  expect(usage).toContainEqual({ ...scope, hour: at, calls: 2, failures: 1, inputTokens: 1, outputTokens: 0, cost: 0.2, unpriced: 1 })
  expect(usage).toContainEqual(expect.objectContaining({ route: 'm*', hour: at, calls: 1 }))
})

test('parts joined are the whole, in any division and any order', () => {
  const records = array(
    record({
      kind: constantFrom('model_call', 'tool_call', 'tool_proposal', 'admission'),
      type: constantFrom('decision', 'outcome'),
      session: constantFrom('ses_1', 'ses_2'),
      subject: constantFrom('a', 'b', 'c'),
      labelAfter: constantFrom(null, untrusted, { trust: 'trusted', audience: [] }),
      outcome: constantFrom('ok', 'error'),
    }),
    { minLength: 1, maxLength: 30 },
  )
  assert(
    property(tuple(records, array(integer({ min: 0, max: 30 })), integer({ min: 0, max: 29 })), ([fields, cuts, turned]) => {
      const all = fields.map((one) => decision({ ...one, cost: { amount: 0.001, currency: 'USD', prices: 'p' } }))
      const places = [...new Set([0, ...cuts, all.length])].filter((at) => at <= all.length).sort((one, other) => one - other)
      const pieces = places.slice(0, -1).map((start, at) => all.slice(start, places[at + 1]))
      const parts = pieces.flatMap((piece) => countRecords(piece).turns)
      const shifted = [...parts.slice(turned % parts.length), ...parts.slice(0, turned % parts.length)]
      expect(shifted.reduce(joined)).toEqual(countRecords(all).turns[0])
    }),
  )
})
