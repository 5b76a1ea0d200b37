import { describe, expect, test } from 'vitest'
import { alice, policyOf, tool } from '../../policy/written-policy.fixture.ts'
import { freshState } from '../sessions/fresh-state.ts'
import { decideAll } from './judging-meaning.ts'

const policy = policyOf({
  contracts: {
    notes__look: { output: { trust: 'trusted' } },
    mail__send: { effects: ['egress'], requires: { trust: 'trusted' } },
    desk__send: { effects: ['desk'], output: { trust: 'trusted' } },
  },
})
const read = { ...freshState(policy), label: { ...freshState(policy).label, trust: 0 } }
const judged = (state: typeof read, ...names: readonly [string, ...string[]]) => {
  const [first, ...others] = names
  return decideAll(policy, state, [tool(first), ...others.map((name) => tool(name))], {
    args: {},
    principal: alice,
    actor: null,
    gateway: null,
    callKey: 'c1',
  })
}

describe('a call that may be a call of several tools', () => {
  test('is refused when it may not be one of them, whichever it is', () => {
    expect(judged(read, 'notes__look', 'mail__send').action).toBe('deny')
    expect(judged(read, 'mail__send', 'notes__look').action).toBe('deny')
    expect(judged(read, 'notes__look', 'desk__send').action).toBe('allow')
  })

  test('has the effects of all of them', () => {
    expect(judged(freshState(policy), 'mail__send', 'desk__send', 'notes__look')).toMatchObject({
      action: 'allow',
      effects: ['desk', 'egress'],
    })
  })
})
