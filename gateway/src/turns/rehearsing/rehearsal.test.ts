import { describe, expect, test } from 'vitest'
import { alice, policyOf, tool } from '../../policy/written-policy.fixture.ts'
import { Rehearsal } from './rehearsal.ts'

const policy = policyOf({
  contracts: {
    web__get: { output: { trust: 'untrusted' } },
    files__get: { output: { trust: 'trusted' } },
    secrets__get: { output: { as: 'quarantine', trust: 'untrusted' } },
    pay: { args: { to: 'destination' } },
    bills__list: { output: { trust: 'untrusted', records: { of: 'bill', id: 'id', names: ['title'] } } },
    bills__drop: { requires: { asked: ['drop'] }, args: { id: { role: 'authority', after_untrusted: ['principal'], record: 'bill' } } },
    backup: { effects: ['backed'] },
    migrate: { effects: ['migrated'], requires: { done: ['backed'], not_done: ['migrated'] } },
  },
})
const rehearse = () => new Rehearsal(policy, { principal: alice, actor: null })
const pay = (to: string, approvedBy?: string) => ({ tool: tool('pay'), args: { to }, gateway: null, approvedBy })
const read = (rehearsal: Rehearsal, name: string, result: string, args = {}) =>
  rehearsal.read({ tool: tool(name), args }, result, { outcome: 'possible' })
const actionOf = (rehearsal: Rehearsal, to: string) => rehearsal.propose(pay(to)).verdict.action

describe('a value counts by where it stands', () => {
  test.each([
    ['what the person wrote', (one: Rehearsal) => one.say('principal', 'Pay to acct-17.'), 'release'],
    ['what the operator wrote', (one: Rehearsal) => one.say('operator', 'Only acct-17.'), 'release'],
    ['a trusted result', (one: Rehearsal) => read(one, 'files__get', '{"payee":"acct-17"}'), 'release'],
    ['an untrusted result', (one: Rehearsal) => read(one, 'web__get', 'acct-17'), 'refuse'],
    ['nothing', () => {}, 'refuse'],
  ] as const)('%s', (_where, before, action) => {
    const rehearsal = rehearse()
    read(rehearsal, 'web__get', 'Words of a stranger.')
    before(rehearsal)
    expect(actionOf(rehearsal, 'acct-17')).toBe(action)
  })

  test('what a trusted tool only says back after an untrusted read is no word of its own', () => {
    const rehearsal = rehearse()
    read(rehearsal, 'web__get', 'acct-17')
    read(rehearsal, 'files__get', 'No payee acct-17, but acct-18.', { payee: 'acct-17' })
    expect([actionOf(rehearsal, 'acct-17'), actionOf(rehearsal, 'acct-18')]).toEqual(['refuse', 'release'])
  })
})

test('a record counts when the person named it, and asked for what is done to it', () => {
  const dropped = (said: string, id: string) => {
    const rehearsal = rehearse()
    rehearsal.say('principal', said)
    read(rehearsal, 'bills__list', '- id: 7\n  title: Rent of May\n- id: 13\n  title: Wine\n')
    return rehearsal.propose({ tool: tool('bills__drop'), args: { id }, gateway: null }).verdict.gaps.length
  }
  expect([dropped('Drop the rent of May.', '7'), dropped('Drop the rent of May.', '13'), dropped('Show the rent of May.', '7')]).toEqual([
    0, 1, 1,
  ])
})

test('effects are had by a call that succeeded, and by no other', () => {
  const rehearsal = rehearse()
  const call = (name: string) => rehearsal.propose({ tool: tool(name), args: {}, gateway: null })
  const end = (name: string, callKey: string, outcome: 'done' | 'failed') =>
    rehearsal.read({ tool: tool(name), args: {} }, '', { callKey, outcome })
  end('backup', call('backup').callKey, 'failed')
  expect(call('migrate').verdict.gaps.map(({ kind }) => kind)).toEqual(['done'])
  end('backup', call('backup').callKey, 'done')
  expect(call('migrate').verdict.action).toBe('release')
  expect(call('migrate').verdict.gaps.map(({ kind }) => kind)).toEqual(['not_done'])
})

test('what is withheld is not read', () => {
  const rehearsal = rehearse()
  read(rehearsal, 'secrets__get', 'acct-17')
  expect(rehearsal.state.label.trust).toBe(1)
})
