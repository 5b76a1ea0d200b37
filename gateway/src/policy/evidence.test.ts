/** What the engine is told besides state and event: where something came from, and what people ruled on one exact call. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { digestJson } from '../core/hash.ts'
import type { JsonObject } from '../core/json.ts'
import { decide, isReleased } from './decide.ts'
import { comesFrom, noEvidence, type Evidence, type Ruling } from './evidence.ts'
import { GrantIndex } from './grant-index.ts'
import { audienceOf, join, publicLabel } from './label.ts'
import { alice, call, fresh, policyOf, tool } from './written-policy.fixture.ts'
import type { Label, Policy, Rule } from './types.ts'

const described = policyOf({
  contracts: {
    pay__order: { output: { trust: 'trusted' }, effects: ['payment'] },
    pay__wire: { output: { trust: 'trusted' }, effects: ['payment'], requires: { trust: 'trusted' } },
  },
})

/** Payments over a hundred wait for a person. */
const large: Rule = {
  name: 'large-payments',
  verdict: 'escalate',
  reason: 'A payment of this size waits for finance.',
  terms: { source: 'rule large-payments', from: ['@finance'], count: 1, self: false },
  readsArguments: true,
  reads: [],
  neverApplies: () => false,
  digest: '',
  applies: ({ effects, args }) => effects.includes('payment') && Number(args['amount']) > 100,
}
const policy: Policy = { ...described, rules: [large] }
const args: JsonObject = { amount: 250, to: 'acme' }
const order = call('pay__order', args)
const untrusted: Label = { trust: 0, audience: [] }

const ruled = (ruling: Ruling['ruling'], more: Partial<Ruling> = {}): Evidence => ({
  origins: [],
  rulings: [{ ruling, by: 'finance-lead', callKey: order.callKey, argumentsDigest: digestJson(args), ...more }],
})

describe('a call that waits for a person', () => {
  test('is held, and says for what', () => {
    const verdict = decide(policy, fresh(policy), order, noEvidence)
    expect(verdict).toMatchObject({
      verdict: 'deny',
      action: 'hold',
      gaps: [{ kind: 'approval', detail: 'A payment of this size waits for finance', source: 'rule large-payments' }],
      reason: 'A payment of this size waits for finance.',
    })
    expect(isReleased(verdict)).toBe(false)
  })

  test('goes on once a person approved exactly this call, with that person on record', () => {
    const verdict = decide(policy, fresh(policy), order, ruled('approve'))
    expect(verdict).toMatchObject({ verdict: 'allow', action: 'release', gaps: [], effects: ['payment'] })
    expect(verdict.rules).toEqual(['grant #1', 'ruling of finance-lead', 'contract pay__order'])
  })

  test.each([
    ['another call', ruled('approve', { callKey: 'call-2' })],
    ['the same call with other arguments', ruled('approve', { argumentsDigest: digestJson({ ...args, amount: 251 }) })],
    ['nothing', noEvidence],
  ])('still waits when what was approved is %s', (_what, evidence) => {
    expect(decide(policy, fresh(policy), order, evidence).action).toBe('hold')
  })

  test('is the same call in whatever order its arguments are written', () => {
    const turned = call('pay__order', { to: 'acme', amount: 250 })
    expect(decide(policy, fresh(policy), turned, ruled('approve')).action).toBe('release')
  })

  test('is refused once a person refused it, also when somebody else approved it', () => {
    const both: Evidence = { origins: [], rulings: [...ruled('approve').rulings, ...ruled('refuse', { by: 'alice' }).rulings] }
    for (const evidence of [ruled('refuse'), both]) {
      const verdict = decide(policy, fresh(policy), order, evidence)
      expect(verdict).toMatchObject({ verdict: 'deny', action: 'refuse' })
      expect(verdict.gaps).toContainEqual({ kind: 'approval', detail: 'a person refused this call', source: 'rulings' })
    }
  })

  test('is refused, not held, while something is missing that no person rules on', () => {
    const wire = call('pay__wire', args)
    const read = { ...fresh(policy), label: untrusted }
    expect(decide(policy, read, wire, noEvidence)).toMatchObject({ action: 'refuse', gaps: [{ kind: 'trust' }, { kind: 'approval' }] })
    expect(decide(policy, read, wire, ruled('approve'))).toMatchObject({ action: 'refuse', gaps: [{ kind: 'trust' }] })
  })

  test('goes on where nothing is enforced, and is marked', () => {
    const observing: Policy = { ...policy, posture: 'observe' }
    expect(decide(observing, fresh(policy), order, noEvidence)).toMatchObject({ verdict: 'deny', action: 'observe' })
  })

  test('is refused when the condition cannot be answered', () => {
    const broken: Rule = {
      ...large,
      applies: () => {
        throw new Error('no answer')
      },
    }
    expect(decide({ ...policy, rules: [broken] }, fresh(policy), order, ruled('approve'))).toMatchObject({
      action: 'refuse',
      gaps: [{ kind: 'rule' }],
    })
  })
})

test('an approval opens nothing but what waited for it', () => {
  const ungranted: Policy = { ...policy, grants: new GrantIndex([]) }
  expect(decide(ungranted, fresh(policy), order, ruled('approve'))).toMatchObject({ action: 'refuse', gaps: [{ kind: 'grant' }] })
})

test('an allowed call of a tool of the gateway itself is answered here, and a refused one is refused', () => {
  const own = { ...tool('pay__order'), answeredHere: true }
  expect(decide(described, fresh(described), call('pay__order', {}, { tool: own }), noEvidence).action).toBe('answer')
  const wire = { ...tool('pay__wire'), answeredHere: true }
  const read = { ...fresh(described), label: untrusted }
  const event = call('pay__wire', {}, { tool: wire })
  expect(decide(described, read, event, noEvidence).action).toBe('refuse')
  expect(decide({ ...described, posture: 'observe' }, read, event, noEvidence).action).toBe('answer')
  expect(isReleased({ action: 'answer' })).toBe(false)
})

test('a call counts as if its session had read whatever it comes from', () => {
  const label = fc.record({
    trust: fc.nat(1),
    audience: fc.constantFrom([], audienceOf(['alice']), audienceOf(['@hr', 'bob'])),
  })
  fc.assert(
    fc.property(label, fc.array(label, { maxLength: 3 }), (read, origins) => {
      const state = { ...fresh(policy), label: read }
      const wire = call('pay__wire', args, { principal: alice })
      expect(decide(policy, state, wire, { origins, rulings: [] })).toEqual(
        decide(policy, { ...state, label: origins.reduce(join, read) }, wire, noEvidence),
      )
    }),
  )
})

test('what came from nowhere in particular is no evidence', () => {
  expect(comesFrom(undefined, undefined)).toBe(noEvidence)
  expect(comesFrom(undefined, publicLabel(1)).origins).toEqual([publicLabel(1)])
})
