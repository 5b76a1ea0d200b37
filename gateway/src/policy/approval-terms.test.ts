import { describe, expect, test } from 'vitest'
import { mayApprove } from './approval-terms.ts'
import { decide } from './decide.ts'
import { noEvidence } from './evidence.ts'
import { call, fresh, policyOf, problemsOf, type ConfigInput } from './written-policy.fixture.ts'

const people: ConfigInput = {
  grants: [{ principals: ['*'], tools: ['*'] }],
  principals: { alice: {}, bob: { groups: ['finance'] }, carol: { groups: ['finance'] } },
  groups: { finance: {}, empty: {} },
}
const pay = (approval: object, more: ConfigInput = {}): ConfigInput => ({
  ...people,
  ...more,
  contracts: { pay__order: { output: { trust: 'trusted' }, requires: { approval } }, ...more.contracts },
})
const decided = (config: ConfigInput, args = {}) => {
  const policy = policyOf(config)
  return decide(policy, fresh(policy), call('pay__order', args), noEvidence)
}

describe('`requires.approval`', () => {
  test('holds every call, or those its condition is true of, and says whose approval they wait for', () => {
    expect(decided(pay({ from: ['finance'] }))).toMatchObject({
      action: 'hold',
      gaps: [{ kind: 'approval', detail: '`@finance` must approve this call', source: 'contract pay__order' }],
      remedies: [{ kind: 'approve', detail: 'have this very call approved by `@finance`' }],
      awaits: [{ source: 'contract pay__order', from: ['@finance'], count: 1, self: false }],
    })
    const large = pay({ when: 'args.amount > 100', from: ['bob'] })
    expect(decided(large, { amount: 101 }).action).toBe('hold')
    expect(decided(large, { amount: 100 }).action).toBe('release')
    // What cannot be answered is refused: nobody could say what a person would rule on.
    expect(decided(large, { amount: 'much' })).toMatchObject({ action: 'refuse', gaps: [{ kind: 'rule' }] })
  })

  test('takes the approvers of everybody where it names none, and two where it says so', () => {
    expect(decided(pay({ count: 2 }, { approvals: { from: ['@finance'] } })).awaits).toEqual([
      { source: 'contract pay__order', from: ['@finance'], count: 2, self: false },
    ])
  })

  test('stands in for what a call lacks, and for nothing else', () => {
    const config = pay(
      { from: ['finance'], instead_of: ['trust'] },
      { contracts: { pay__order: { requires: { trust: 'trusted', approval: { from: ['finance'], instead_of: ['trust'] } } } } },
    )
    const policy = policyOf(config)
    const read = { ...fresh(policy), label: { trust: 0, audience: [] } }
    expect(decide(policy, fresh(policy), call('pay__order'), noEvidence).action).toBe('release')
    const verdict = decide(policy, read, call('pay__order'), noEvidence)
    expect(verdict).toMatchObject({ action: 'hold', gaps: [{ kind: 'trust' }] })
    expect(verdict.remedies.map(({ kind }) => kind)).toEqual(['approve'])
  })
})

test('a rule escalates to those it names', () => {
  const config: ConfigInput = {
    ...people,
    contracts: { pay__order: { output: { trust: 'trusted' } } },
    rules: [{ name: 'eyes', when: "tool.name == 'pay__order'", verdict: 'escalate', reason: 'Finance looks at it.', from: ['carol'] }],
  }
  expect(decided(config)).toMatchObject({
    action: 'hold',
    reason: 'Finance looks at it.',
    awaits: [{ source: 'rule eyes', from: ['carol'] }],
  })
})

describe('a configuration is refused that asks for what nobody could give', () => {
  test.each([
    ['no approvers at all', pay({}), 'name who may under `from`'],
    ['a group without people', pay({ from: ['empty'] }), 'no declared principal is one of its approvers'],
    ['four eyes of one person', pay({ from: ['bob'], count: 2 }), 'only 1 of the declared principals may be one'],
    ['a name that is nobody’s', pay({ from: ['finanse'] }), 'did you mean `finance`?'],
    ['everybody who could only approve their own', pay({ from: ['alice'] }, { principals: { alice: {} } }), 'without `self: true`'],
    ['a condition that cannot be read', pay({ from: ['bob'], when: 'arg.x' }), '`arg` is not a variable of conditions'],
    [
      'a wrong name among the approvers of everybody',
      { ...people, approvals: { from: ['nobody'] } },
      'is not a declared principal or group',
    ],
  ])('%s', (_what, config, why) => {
    expect(problemsOf(config).join()).toContain(why)
  })

  test('and is taken where only who signs in can tell', () => {
    const told = { issuers: { acme: { issuer: 'https://idp.acme.example', audiences: ['turnward'] } } }
    expect(problemsOf(pay({ from: ['@empty', 'somebody@acme.example'], count: 2 }, { identity: told }))).toEqual([])
    expect(problemsOf(pay({ from: ['alice'], self: true }, { principals: { alice: {} } }))).toEqual([])
  })
})

test('nobody approves their own calls unless that is said, and names are compared as they are', () => {
  const terms = { source: '', from: ['@finance', 'alice'], count: 1, self: false }
  const alice = { id: 'alice', groups: ['finance'] }
  expect(mayApprove(terms, alice, 'alice')).toBe(false)
  expect(mayApprove({ ...terms, self: true }, alice, 'alice')).toBe(true)
  expect(mayApprove(terms, alice, 'bob')).toBe(true)
  expect(mayApprove(terms, { id: 'ALICE', groups: ['Finance'] }, 'bob')).toBe(false)
  expect(mayApprove(terms, { id: '@finance', groups: [] }, 'bob')).toBe(true)
})
