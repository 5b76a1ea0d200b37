import { describe, expect, test } from 'vitest'
import { compileContracts, effectiveContract } from './contracts.ts'
import { policyOf, problemsOf, tool } from './written-policy.fixture.ts'

describe('contractOf', () => {
  test('the most specific pattern wins as a whole, whatever the order of the file', () => {
    const policy = policyOf({
      contracts: { '*': { effects: ['any'] }, 'mail__*': { effects: ['mail'] }, mail__send: { effects: ['send'] } },
    })
    expect(policy.contractOf('mail__send')?.effects).toEqual(['send'])
    expect(policy.contractOf('mail__read')?.effects).toEqual(['mail'])
    expect(policy.contractOf('Mail__send')?.effects).toEqual(['any'])
  })

  test('answers the same after more names than it remembers', () => {
    const { contractOf } = compileContracts(
      { 'web__*': { output: {}, effects: ['read'], requires: { done: [], not_done: [] } } },
      {
        trustRanks: ['untrusted', 'trusted'],
        names: { principals: new Set(), groups: new Set() },
        approvers: { principals: {}, groups: {} },
        conditions: { max_nodes: 200, max_loops: 1, max_list: 1000 },
      },
    )
    for (let index = 0; index < 10_000; index++) contractOf(`noise__${index}`)
    expect(contractOf('web__fetch')?.source).toBe('web__*')
    expect(contractOf('noise__1')).toBeUndefined()
  })
})

describe('hints', () => {
  const contract = policyOf({ contracts: { a__b: { output: { trust: 'trusted' } } } }).contractOf('a__b')

  test('tighten a described tool', () => {
    const hinted = effectiveContract(contract, tool('a__b', { destructiveHint: true, openWorldHint: true }))
    expect(hinted).toMatchObject({ described: true, contract: { effects: ['mutation'], output: { trust: 0 } } })
    expect(effectiveContract(contract, tool('a__b', { readOnlyHint: false })).contract.effects).toEqual(['mutation'])
  })

  test('never loosen it, and never describe an undescribed one', () => {
    const loose = { readOnlyHint: true, destructiveHint: false, openWorldHint: false }
    expect(effectiveContract(contract, tool('a__b', loose)).contract).toEqual(contract)
    expect(effectiveContract(undefined, tool('a__b', loose))).toMatchObject({ described: false, contract: { output: { trust: 0 } } })
  })
})

test('unknown names are problems at their path, with a suggestion', () => {
  const output = { trust: 'untrsuted', audience: ['public', 'finnance'] }
  expect(problemsOf({ groups: { finance: {} }, contracts: { web__fetch: { output } } })).toEqual([
    'contracts.web__fetch.output.trust: `untrsuted` is not a trust rank of `policy.trust`; did you mean `untrusted`?',
    'contracts.web__fetch.output.audience.1: `finnance` is not a declared principal or group; did you mean `finance`?',
  ])
})

test('references that are none are problems', () => {
  const includes = ['$args.to', '$args.message.to', '$principal', '$arg.to', '$args.', '$args.a..b', '$args']
  const problems = problemsOf({ contracts: { mail__send: { requires: { audience: { includes } } } } })
  expect(problems.map((problem) => problem.split(':')[0])).toEqual(
    [3, 4, 5, 6].map((index) => `contracts.mail__send.requires.audience.includes.${index}`),
  )
})

test('the mark of unconfirmed effects cannot be configured', () => {
  expect(problemsOf({ contracts: { a: { effects: ['?x'], requires: { done: ['?y'] } } } })).toHaveLength(2)
})
