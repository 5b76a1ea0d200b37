import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { admit, unknownLabel } from './admit.ts'
import { noEvidence } from './evidence.ts'
import { isDone, mayBeDone, reserve } from './effects.ts'
import { join, sameLabel } from './label.ts'
import { alice, fresh, policyOf, principal, tool } from './written-policy.fixture.ts'
import type { PolicyState } from './types.ts'

const policy = policyOf({
  policy: { trust: ['untrusted', 'reviewed', 'trusted'] },
  contracts: {
    'web__*': { output: { trust: 'untrusted' } },
    'hr__*': { output: { audience: ['hr'] } },
    'crm__*': { output: { trust: 'reviewed', audience: ['@support', 'corp.example'] } },
    notes__read: { output: { audience: ['$principal'] } },
    'time__*': { output: { trust: 'trusted', audience: ['public'] } },
    db__backup: { effects: ['backup'] },
  },
})
const read = (state: PolicyState, name: string, more: object = {}) =>
  admit(policy, state, { tools: [tool(name)], principal: alice, callKey: 'k', outcome: 'done', ...more }, noEvidence).state

const strange = (state: PolicyState, who: typeof alice) => ({ ...state, label: join(state.label, unknownLabel(policy, who)) })

describe('admit', () => {
  test('joins what the contract says', () => {
    expect(read(fresh(policy), 'crm__get').label).toEqual({ trust: 1, audience: [['@support', 'corp.example']] })
    expect(read(read(fresh(policy), 'hr__get'), 'web__get').label).toEqual({ trust: 0, audience: [['@hr']] })
    expect(read(fresh(policy), 'time__now').label).toEqual(fresh(policy).label)
  })

  test('resolves $principal to who the call is for', () => {
    expect(read(fresh(policy), 'notes__read').label.audience).toEqual([['alice']])
    // Nobody declared this one: its id is a name that only it has.
    expect(read(fresh(policy), 'notes__read', { principal: principal('public') }).label.audience).toEqual([['=public']])
  })

  test('takes what nobody described like a history nobody vouches for: least trust, for the principal only', () => {
    expect(read(fresh(policy), 'new__tool').label).toEqual({ trust: 0, audience: [['alice']] })
    expect(read(fresh(policy), 'new__tool').label).toEqual(unknownLabel(policy, alice))
  })

  test('lowers trust where the server says the tool reaches the open world', () => {
    const hinted = { tools: [tool('time__now', { openWorldHint: true })] }
    expect(read(fresh(policy), 'time__now', hinted).label.trust).toBe(0)
  })

  test('reads the error of a failed call, and frees its effects', () => {
    const state = { ...fresh(policy), effects: reserve(fresh(policy).effects, 'k', ['backup']) }
    expect(read(state, 'web__get', { outcome: 'failed' }).label.trust).toBe(0)
    expect(read(state, 'db__backup', { outcome: 'failed' }).effects).toEqual(fresh(policy).effects)
  })

  test('counts as done only what was reserved: an invented history enables nothing and may block', () => {
    const reserved = { ...fresh(policy), effects: reserve(fresh(policy).effects, 'k', ['backup']) }
    expect(isDone(read(reserved, 'db__backup').effects, 'backup')).toBe(true)
    const invented = read(fresh(policy), 'db__backup').effects
    expect(isDone(invented, 'backup')).toBe(false)
    expect(mayBeDone(invented, 'backup', 'other')).toBe(true)
  })

  test('never makes a label less restrictive, whatever is read in whatever order', () => {
    const name = fc.constantFrom('web__a', 'hr__a', 'crm__a', 'notes__read', 'time__now', 'db__backup', 'new__tool', '?')
    const someone = fc.constantFrom(alice, principal('bob', ['support']), principal('public'))
    fc.assert(
      fc.property(fc.array(fc.record({ name, principal: someone, succeeded: fc.boolean() }), { maxLength: 12 }), (reads) => {
        let state = fresh(policy)
        for (const { name: toolName, ...more } of reads) {
          const after = toolName === '?' ? strange(state, more.principal) : read(state, toolName, more)
          expect(sameLabel(join(state.label, after.label), after.label)).toBe(true)
          state = after
        }
        const reversed = reads
          .toReversed()
          .reduce(
            (now, { name: toolName, ...more }) => (toolName === '?' ? strange(now, more.principal) : read(now, toolName, more)),
            fresh(policy),
          )
        expect(reversed.label).toEqual(state.label)
      }),
    )
  })
})

test('content nobody can account for is not trusted and stays with the principal', () => {
  expect(unknownLabel(policy, alice)).toEqual({ trust: 0, audience: [['alice']] })
  expect(unknownLabel({ directory: { namesOf: () => [] } }, principal('public')).audience).toEqual([[]])
})
