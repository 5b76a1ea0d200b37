import { describe, expect, test } from 'vitest'
import { admit } from './admit.ts'
import { decide } from './decide.ts'
import { noEvidence } from './evidence.ts'
import { reserve } from './effects.ts'
import { refusalNotice } from './refusal.ts'
import { alice, call, fresh, policyOf, tool, type ConfigInput } from './written-policy.fixture.ts'
import type { Policy, PolicyState, Verdict } from './types.ts'

const contracts: NonNullable<ConfigInput['contracts']> = {
  web__get: { output: { trust: 'untrusted' } },
  hr__read: { output: { audience: ['@hr'] } },
  intern__read: { output: { audience: ['@interns'] } },
  mail__send: { requires: { trust: 'trusted', audience: { includes: ['$args.to'] } } },
  db__backup: { effects: ['backup'] },
  db__migrate: { effects: ['migration'], requires: { trust: 'trusted', done: ['backup'], not_done: ['migration'] } },
}
/** As where a gateway can make a call from a session of its own. */
const isolating = (config: ConfigInput): Policy => ({ ...policyOf(config), canIsolate: true })
const policy = isolating({ contracts })
const kinds = (verdict: Verdict) => verdict.remedies.map(({ kind }) => kind)
const after = (...names: readonly string[]): PolicyState =>
  names.reduce(
    (state, name) => admit(policy, state, { tools: [tool(name)], principal: alice, callKey: name, outcome: 'done' }, noEvidence).state,
    fresh(policy),
  )

describe('narrow', () => {
  test('is offered when other readers would do, and says which', () => {
    const verdict = decide(policy, after('hr__read'), call('mail__send', { to: 'eve@x.example, alice' }), noEvidence)
    expect(verdict.gaps[0]?.detail).toBe('argument `to` names 1 of 2 readers that may not receive what this session has read')
    expect(verdict.remedies[0]).toEqual({
      kind: 'narrow',
      detail: 'name only readers that may receive what this session has read, such as `alice@corp.example`',
    })
  })

  test('names no group and no domain where addresses are named, and nothing that a contract would not take', () => {
    const house = policyOf({
      values: { payees: ['bob@corp.example'] },
      contracts: {
        crm__read: { output: { trust: 'untrusted', audience: ['@support', 'corp.example'] } },
        mail__send: { requires: { audience: { includes: ['$args.to'] } } },
        mail__pay: { args: { to: { role: 'destination', values: ['payees'] } }, requires: { audience: { includes: ['$args.to'] } } },
      },
    })
    const state = admit(
      house,
      fresh(house),
      { tools: [tool('crm__read')], principal: alice, callKey: 'k', outcome: 'done' },
      noEvidence,
    ).state
    const narrowed = (name: string, to: string) =>
      decide(house, state, call(name, { to }), noEvidence).remedies.find(({ kind }) => kind === 'narrow')?.detail
    expect(narrowed('mail__send', 'eve@x.example')).toMatch(/such as `alice@corp.example`, `bob@corp.example`, `bob@home.example`$/)
    expect(narrowed('mail__send', '@interns')).toMatch(/such as `@support`$/)
    expect(decide(house, state, call('mail__pay', { to: 'eve@x.example' }), noEvidence).gaps.map(({ kind }) => kind)).toEqual([
      'audience',
      'provenance',
    ])
    expect(narrowed('mail__pay', 'eve@x.example')).toMatch(/such as `bob@corp.example`$/)
  })

  test('names people also where an identity provider may know of more, and says no form where the form was right', () => {
    const house = policyOf({
      identity: { sign_in: { local: true } },
      contracts: {
        own__read: { output: { audience: ['$principal'] } },
        support__read: { output: { audience: ['@support'] } },
        nobodys__read: { output: { audience: ['@elsewhere'] } },
        mail__send: { requires: { audience: { includes: ['$args.to'] } } },
      },
      groups: { elsewhere: {} },
    })
    const narrowed = (read: string) => {
      const result = { tools: [tool(read)], principal: alice, callKey: 'k', outcome: 'done' } as const
      const { state } = admit(house, fresh(house), result, noEvidence)
      return decide(house, state, call('mail__send', { to: 'eve@x.example' }), noEvidence).remedies[0]?.detail
    }
    const only = 'name only readers that may receive what this session has read'
    expect(narrowed('own__read')).toBe(`${only}, such as \`alice@corp.example\``)
    expect(narrowed('support__read')).toBe(`${only}, such as \`alice@corp.example\`, \`bob@corp.example\`, \`bob@home.example\``)
    expect(narrowed('nobodys__read')).toBe(only)
  })

  test('is offered for an argument that cannot be read', () => {
    expect(decide(policy, fresh(policy), call('mail__send', { to: 'all of them' }), noEvidence).remedies).toEqual([
      { kind: 'narrow', detail: 'name every reader as a plain address, @group, domain or principal' },
    ])
  })

  test('is not offered when nobody may receive everything that was read, nor when something else is missing as well', () => {
    expect(kinds(decide(policy, after('hr__read', 'intern__read'), call('mail__send', { to: 'alice' }), noEvidence))).toEqual(['isolate'])
    expect(kinds(decide(policy, after('hr__read', 'web__get'), call('mail__send', { to: 'bob' }), noEvidence))).toEqual(['isolate'])
  })
})

describe('isolate', () => {
  test('is offered only where the gateway can do it', () => {
    expect(kinds(decide(policyOf({ contracts }), after('web__get'), call('mail__send', { to: 'alice' }), noEvidence))).toEqual([])
  })

  test('is offered when the gap comes from what the session has read', () => {
    expect(kinds(decide(policy, after('web__get'), call('mail__send', { to: 'alice' }), noEvidence))).toEqual(['isolate'])
  })

  test('is not offered when a fresh session would be refused as well', () => {
    const strict = isolating({ contracts, policy: { posture: 'strict' } })
    expect(kinds(decide(strict, after('web__get'), call('new__tool'), noEvidence))).toEqual(['configure'])
    const ruled = isolating({ contracts, rules: [{ name: 'no', when: 'true', verdict: 'deny', reason: 'No.' }] })
    expect(kinds(decide(ruled, after('web__get'), call('mail__send', { to: 'alice' }), noEvidence))).toEqual([])
  })

  test('is offered for a rule about the label, because there it would not apply', () => {
    const ruled = isolating({ contracts, rules: [{ name: 'no', when: `session.trust == 'untrusted'`, verdict: 'deny', reason: 'No.' }] })
    expect(kinds(decide(ruled, after('web__get'), call('db__backup'), noEvidence))).toEqual(['isolate'])
  })

  test('is no way around not_done, and does not carry done along', () => {
    const state = after('web__get')
    const migrating = { ...state, effects: reserve({ done: ['backup'], reserved: {} }, 'other', ['migration']) }
    expect(kinds(decide(policy, migrating, call('db__migrate'), noEvidence))).toEqual([])
    const migrated = { ...state, effects: { done: ['backup', 'migration'], reserved: {} } }
    expect(kinds(decide(policy, migrated, call('db__migrate'), noEvidence))).toEqual([])
    const backedUp = { ...state, effects: { done: ['backup'], reserved: {} } }
    expect(kinds(decide(policy, backedUp, call('db__migrate'), noEvidence))).toEqual(['isolate', 'prerequisite'])
  })
})

describe('prerequisite', () => {
  test('names what has to be done first and the tool that does it', () => {
    expect(decide(policy, fresh(policy), call('db__migrate'), noEvidence).remedies).toEqual([
      { kind: 'prerequisite', detail: 'first do `backup` (with `db__backup`) in the same session' },
    ])
  })

  test('is not offered when no tool does it, none the principal may use, or doing it would close the door', () => {
    const { db__backup: _, ...without } = contracts
    const none = policyOf({ contracts: without })
    const ungranted = policyOf({ contracts, grants: [{ principals: ['*'], tools: ['db__migrate'] }] })
    const dirty = policyOf({ contracts: { ...contracts, db__backup: { effects: ['backup'], output: { trust: 'untrusted' } } } })
    for (const other of [none, ungranted, dirty]) expect(kinds(decide(other, fresh(other), call('db__migrate'), noEvidence))).toEqual([])
  })
})

test('an undescribed tool: describe it, or call it from a session that has read nothing', () => {
  expect(kinds(decide(policy, after('web__get'), call('new__tool'), noEvidence))).toEqual(['isolate', 'configure'])
})

test('following a remedy leads to an allowed call', () => {
  const refused = decide(policy, after('hr__read'), call('mail__send', { to: 'bob' }), noEvidence)
  expect(kinds(refused)).toEqual(['narrow', 'isolate'])
  expect(decide(policy, after('hr__read'), call('mail__send', { to: '@hr' }), noEvidence).action).toBe('release')
  expect(decide(policy, fresh(policy), call('mail__send', { to: 'bob' }), noEvidence).action).toBe('release')
})

describe('the refusal notice', () => {
  test('has the reason and what would help', () => {
    expect(refusalNotice(decide(policy, after('hr__read'), call('mail__send', { to: 'bob' }), noEvidence))).toBe(
      'not run: Argument `to` names 1 reader that may not receive what this session has read. ' +
        'What would help: name only readers that may receive what this session has read, such as `alice`; ' +
        'or make this call from a separate session that has not read what this session has read, and pass only a bounded answer between them.',
    )
  })

  test('says so when nothing helps', () => {
    const denied = policyOf({ contracts, grants: [] })
    expect(refusalNotice(decide(denied, fresh(policy), call('db__backup'), noEvidence))).toBe(
      'not run: No grant lets this principal use the tool. Do not repeat this call.',
    )
  })

  test('is one bounded line, whatever the configuration says', () => {
    const rules = Array.from({ length: 5 }, (_, index) => ({
      name: `r${index}`,
      when: 'true',
      verdict: 'deny' as const,
      reason: `a\n\u202eb ${'😀'.repeat(240)}`,
    }))
    const notice = refusalNotice(decide(policyOf({ contracts, rules }), fresh(policy), call('db__backup'), noEvidence))
    expect(notice.length).toBeLessThanOrEqual(1000)
    expect(notice).toMatch(/^not run: A b [😀 ;ab]+…$/u)
  })
})
