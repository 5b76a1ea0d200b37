import { describe, expect, test } from 'vitest'
import { noEvidence } from '../../policy/evidence.ts'
import { alice, policyOf, tool } from '../../policy/written-policy.fixture.ts'
import { freshState } from '../sessions/fresh-state.ts'
import { decideAll, strictest } from './judging-meaning.ts'

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
  return decideAll(
    policy,
    state,
    [tool(first), ...others.map((name) => tool(name))],
    {
      args: {},
      caller: { principal: alice, actor: null },
      gateway: null,
      callKey: 'c1',
    },
    noEvidence,
  )
}

describe('a call that may be a call of several tools', () => {
  test('is refused when it may not be one of them, whichever it is', () => {
    expect(judged(read, 'notes__look', 'mail__send').action).toBe('refuse')
    expect(judged(read, 'mail__send', 'notes__look').action).toBe('refuse')
    expect(judged(read, 'notes__look', 'desk__send').action).toBe('release')
  })

  test('has the effects of all of them', () => {
    expect(judged(freshState(policy), 'mail__send', 'desk__send', 'notes__look')).toMatchObject({
      action: 'release',
      effects: ['desk', 'egress'],
    })
  })

  test('waits for a person when one of them does, whichever it is', () => {
    const allowed = judged(freshState(policy), 'notes__look')
    const held = { ...allowed, verdict: 'deny', action: 'hold', rules: ['rule large'] } as const
    const judge = ({ name }: { readonly name: string }) => (name === 'desk__send' ? held : allowed)
    for (const [first, second] of [
      ['desk__send', 'notes__look'],
      ['notes__look', 'desk__send'],
    ] as const) {
      const verdict = strictest([tool(first), tool(second)], judge)
      expect(verdict.action).toBe('hold')
      expect([...verdict.rules].sort()).toEqual([...new Set([...allowed.rules, 'rule large'])].sort())
    }
  })

  test('has the effects of all of them also where nothing is enforced', () => {
    const observing = { ...policy, posture: 'observe' as const }
    const [mail, desk] = [tool('mail__send'), tool('desk__send')]
    const event = { args: {}, caller: { principal: alice, actor: null }, gateway: null, callKey: 'c1' }
    for (const tools of [[mail, desk] as const, [desk, mail] as const]) {
      expect(decideAll(observing, read, tools, event, noEvidence)).toMatchObject({ action: 'observe', effects: ['desk', 'egress'] })
    }
  })
})
