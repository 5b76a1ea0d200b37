import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonValue } from '../core/json.ts'
import { admit } from './admit.ts'
import { decide } from './decide.ts'
import { noEvidence } from './evidence.ts'
import { reachable } from './reachable.ts'
import { alice, call, fresh, policyOf, principal, tool } from './written-policy.fixture.ts'
import type { PolicyState } from './types.ts'

const open = {
  web__get: { output: { trust: 'untrusted' } },
  hr__read: { output: { audience: ['@hr'] } },
  intern__read: { output: { audience: ['@interns'] } },
  crm__read: { output: { audience: ['support', 'corp.example'] } },
  board__publish: { requires: { audience: { includes: ['public'] } } },
  own__note: { requires: { audience: { includes: ['$principal'] } } },
  db__backup: { effects: ['backup'] },
  db__migrate: { effects: ['migration'], requires: { trust: 'trusted', done: ['backup'], not_done: ['migration'] } },
}
const policy = policyOf({
  grants: [{ principals: ['*'], tools: ['*__*'] }],
  contracts: {
    ...open,
    mail__send: { requires: { trust: 'trusted', audience: { includes: ['$args.to'] } } },
    mail__post: { requires: { audience: { includes: ['$args.to'] } } },
  },
  rules: [
    { name: 'late', when: `args.to == 'alice'`, verdict: 'deny', reason: 'Not alice.' },
    { name: 'carol', when: `principal.id == 'carol' && tool.server == 'db'`, verdict: 'deny', reason: 'Not carol.' },
  ],
})
const withoutArguments = policyOf({
  grants: [{ principals: ['*'], tools: ['*__*'] }],
  contracts: open,
  rules: [{ name: 'carol', when: `principal.id == 'carol'`, verdict: 'deny', reason: 'No.' }],
})

const someone = fc.constantFrom(alice, principal('bob', ['support'], ['bob@corp.example']), principal('carol', ['interns']))
const name = fc.constantFrom(...Object.keys(open), 'mail__send', 'mail__post', 'new__tool', 'ungranted')
const state: fc.Arbitrary<PolicyState> = fc
  .record({
    reads: fc.subarray(['web__get', 'hr__read', 'intern__read', 'crm__read', 'db__backup', 'db__migrate']),
    done: fc.subarray(['backup', 'migration']),
  })
  .map(({ reads, done }) => {
    const start = { ...fresh(policy), effects: { done, reserved: {} } }
    return reads.reduce<PolicyState>(
      (now, read) => admit(policy, now, { tools: [tool(read)], principal: alice, callKey: read, outcome: 'failed' }, noEvidence).state,
      start,
    )
  })

describe('reachable', () => {
  test('refuses only what decide refuses whatever the arguments are', () => {
    const to = fc.oneof(
      fc.constantFrom<JsonValue>('alice@corp.example', 'bob', '@hr', '@interns', 'corp.example', 'carol', 'bob@home.example'),
      fc.jsonValue().map((value) => value as JsonValue),
    )
    fc.assert(
      fc.property(state, name, someone, to, (now, toolName, who, value) => {
        if (reachable(policy, now, tool(toolName), { principal: who, actor: null }, null).action !== 'refuse') return
        expect(decide(policy, now, call(toolName, { to: value }, { principal: who }), noEvidence).action).toBe('refuse')
      }),
      { numRuns: 1000 },
    )
  })

  test('is exactly decide where nothing depends on arguments', () => {
    const argumentFree = fc.constantFrom(...Object.keys(open), 'new__tool', 'ungranted')
    fc.assert(
      fc.property(state, argumentFree, someone, (now, toolName, who) => {
        const decided = decide(withoutArguments, now, call(toolName, {}, { principal: who }), noEvidence)
        expect(reachable(withoutArguments, now, tool(toolName), { principal: who, actor: null }, null)).toEqual({
          ...decided,
          remedies: [],
        })
      }),
      { numRuns: 500 },
    )
  })

  test('looks for remedies only once somebody made the call', () => {
    const read = { tools: [tool('web__get')], principal: alice, callKey: 'web', outcome: 'done' as const }
    const now = admit(withoutArguments, fresh(withoutArguments), read, noEvidence).state
    expect(decide({ ...withoutArguments, canIsolate: true }, now, call('new__tool'), noEvidence).remedies.map(({ kind }) => kind)).toEqual([
      'isolate',
      'configure',
    ])
    expect(reachable(withoutArguments, now, tool('new__tool'), { principal: alice, actor: null }, null)).toMatchObject({
      action: 'refuse',
      remedies: [],
    })
  })

  test('shows a tool as long as anybody may receive, and hides it when nobody may', () => {
    const read = (...names: string[]) =>
      names.reduce(
        (now, one) => admit(policy, now, { tools: [tool(one)], principal: alice, callKey: one, outcome: 'done' }, noEvidence).state,
        fresh(policy),
      )
    const post = (now: PolicyState) => reachable(policy, now, tool('mail__post'), { principal: alice, actor: null }, null).action
    expect(post(read('hr__read'))).toBe('release')
    expect(post(read('hr__read', 'crm__read'))).toBe('release')
    expect(post(read('hr__read', 'intern__read'))).toBe('refuse')
  })
})
