import { describe, expect, test } from 'vitest'
import { decide } from './decide.ts'
import { type Evidence, noEvidence, type ValueSource } from './evidence.ts'
import { reachable } from './reachable.ts'
import { alice, call, fresh, policyOf, tool } from './written-policy.fixture.ts'

const policy = policyOf({ contracts: { drive__delete: { requires: { asked: ['delete', 'remove'] } } } })
const said = (word: string, kind: ValueSource['kind'], trust = 1): Evidence => ({
  ...noEvidence,
  values: new Map([[word, [{ kind, label: { trust, audience: [] } }]]]),
})
const gapsOf = (evidence: Evidence, trust = 0) =>
  decide(policy, { ...fresh(policy), label: { trust, audience: [] } }, call('drive__delete', { id: 'x' }), evidence).gaps

describe('a call that a person has to have asked for', () => {
  test('needs one of the words once something untrusted was read, and says which', () => {
    expect(gapsOf(noEvidence, 1)).toEqual([])
    expect(gapsOf(noEvidence)).toEqual([
      {
        kind: 'provenance',
        detail: 'the person did not ask for it: they wrote none of `delete`, `remove`',
        source: 'contract drive__delete',
      },
    ])
    expect(gapsOf(said('remove', 'principal'))).toEqual([])
    expect(gapsOf(said('erase', 'principal'))).toHaveLength(1)
  })

  test('needs it of the person: not of anybody else, and not of words that are a stranger\u2019s', () => {
    for (const kind of ['operator', 'result', 'model', 'endorsed', 'record'] as const)
      expect([kind, gapsOf(said('delete', kind)).length]).toEqual([kind, 1])
    expect(gapsOf(said('delete', 'principal', 0))).toHaveLength(1)
  })

  test('is listed all the same: nobody has asked for anything yet', () => {
    const state = { ...fresh(policy), label: { trust: 0, audience: [] } }
    expect(reachable(policy, state, tool('drive__delete'), { principal: alice, actor: null }, null).gaps).toEqual([])
  })
})
