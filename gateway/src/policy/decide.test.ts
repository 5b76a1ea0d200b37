import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonValue } from '../core/json.ts'
import { admit } from './admit.ts'
import { decide } from './decide.ts'
import { release, reserve, settle } from './effects.ts'
import { alice, call, fresh, policyOf, principal, tool } from './written-policy.fixture.ts'
import type { Policy, PolicyState, Verdict } from './types.ts'

const contracts = {
  'web__*': { output: { trust: 'untrusted' } },
  hr__read: { output: { audience: ['@hr'] } },
  crm__read: { output: { audience: ['@support'] } },
  mail__send: { effects: ['egress'], requires: { trust: 'trusted', audience: { includes: ['$args.to'] } } },
  mail__post: { requires: { audience: { includes: ['$args.message.recipients', '$args.cc.email'] } } },
  board__publish: { requires: { audience: { includes: ['public'] } } },
  pad__share: { requires: { audience: { includes: ['$principal', '@support'] } } },
  db__backup: { effects: ['backup.completed'] },
  db__migrate: { effects: ['migration.applied'], requires: { done: ['backup.completed'], not_done: ['migration.applied'] } },
}
const policy = policyOf({ contracts })
const kinds = (verdict: Verdict) => verdict.gaps.map(({ kind }) => kind)

function after(of: Policy, ...names: readonly string[]): PolicyState {
  return names.reduce(
    (state, name) => admit(of, state, { tools: [tool(name)], principal: alice, callKey: `read ${name}`, outcome: 'done' }),
    fresh(of),
  )
}

describe('grants', () => {
  const none = { grants: [{ principals: ['bob'], tools: ['*'] }], contracts }

  test('without one the call is refused, without advice', () => {
    expect(decide(policyOf(none), fresh(policy), call('db__backup'))).toEqual({
      verdict: 'deny',
      action: 'deny',
      gaps: [{ kind: 'grant', detail: 'no grant lets this principal use the tool', source: 'grants' }],
      remedies: [],
      rules: ['contract db__backup', 'grants'],
      reason: 'No grant lets this principal use the tool.',
      effects: ['backup.completed'],
    })
  })

  test('a missing grant is enforced in every posture', () => {
    for (const posture of ['strict', 'standard', 'observe'] as const) {
      expect(decide(policyOf({ ...none, policy: { posture } }), fresh(policy), call('db__backup')).action).toBe('deny')
    }
  })
})

describe('a described tool without open requirements', () => {
  test('is allowed, and says by what', () => {
    expect(decide(policy, fresh(policy), call('mail__send', { to: 'eve@x.example' }))).toEqual({
      verdict: 'allow',
      action: 'allow',
      gaps: [],
      remedies: [],
      rules: ['grant #1', 'contract mail__send'],
      reason: 'Allowed by grant #1 and contract mail__send.',
      effects: ['egress'],
    })
  })
})

describe('a tool nobody described', () => {
  const inPosture = (posture: 'strict' | 'standard' | 'observe') => policyOf({ contracts, policy: { posture } })

  test('runs in the standard posture only while the session is fully trusted', () => {
    expect(decide(policy, fresh(policy), call('new__tool')).action).toBe('allow')
    expect(kinds(decide(policy, after(policy, 'web__get'), call('new__tool')))).toEqual(['undescribed'])
  })

  test('never runs in the strict posture, and is recorded in the observe posture', () => {
    expect(kinds(decide(inPosture('strict'), fresh(policy), call('new__tool')))).toEqual(['undescribed'])
    expect(decide(inPosture('observe'), after(policy, 'web__get'), call('new__tool'))).toMatchObject({ verdict: 'deny', action: 'observe' })
  })

  test('a hint of its server can make it fall under a rule, not make it known', () => {
    const ruled = policyOf({
      contracts,
      rules: [{ name: 'no-mutation', when: `'mutation' in tool.effects`, verdict: 'deny', reason: 'Read only.' }],
    })
    const hinted = (hints: object) => call('new__tool', {}, { tool: tool('new__tool', hints) })
    expect(kinds(decide(ruled, fresh(ruled), hinted({ destructiveHint: true })))).toEqual(['rule'])
    expect(kinds(decide(ruled, after(ruled, 'web__get'), hinted({ readOnlyHint: true })))).toEqual(['undescribed'])
  })
})

describe('trust', () => {
  test('a session that has read something untrusted may not do what needs trust', () => {
    const verdict = decide(policy, after(policy, 'web__get'), call('mail__send', { to: 'alice@corp.example' }))
    expect(kinds(verdict)).toEqual(['trust'])
    expect(verdict.reason).toBe('It needs a session of trust `trusted` and this session has read content of trust `untrusted`.')
  })
})

describe('audience', () => {
  const hr = after(policy, 'hr__read')

  test('every reader an argument names must be allowed to receive what was read', () => {
    const send = (to: JsonValue) => kinds(decide(policy, hr, call('mail__send', { to })))
    expect(send('alice@corp.example')).toEqual([])
    expect(send('@hr')).toEqual([])
    expect(send('Alice <ALICE@corp.example>')).toEqual([])
    expect(send(['alice@corp.example', 'bob@corp.example'])).toEqual(['audience'])
    expect(send('alice@corp.example; eve@x.example')).toEqual(['audience'])
  })

  test('every clause must hold', () => {
    const both = after(policy, 'hr__read', 'crm__read')
    expect(decide(policy, both, call('mail__send', { to: 'alice' })).action).toBe('allow')
    expect(kinds(decide(policy, both, call('mail__send', { to: '@hr' })))).toEqual(['audience'])
  })

  test.each([
    ['missing', {}],
    ['null', { to: null }],
    ['a number', { to: 7 }],
    ['an object', { to: { address: 'alice@corp.example' } }],
    ['empty', { to: '' }],
    ['an empty list', { to: [] }],
    ['a list with an empty list', { to: ['alice@corp.example', []] }],
    ['a list with something else', { to: ['alice@corp.example', 7] }],
    ['not plain', { to: 'alice@corp.example\u200b' }],
    ['partly not plain', { to: 'alice@corp.example, <script>' }],
    ['inherited', JSON.parse('{"__proto__":{"to":"alice@corp.example"}}')],
  ])('an argument that is %s is a gap, also when the session is public', (_name, args) => {
    for (const state of [hr, fresh(policy)]) expect(kinds(decide(policy, state, call('mail__send', args)))).toEqual(['argument'])
  })

  test('paths go through nested objects and lists', () => {
    const post = (args: object) => kinds(decide(policy, hr, call('mail__post', args as Record<string, JsonValue>)))
    const cc = [{ email: 'alice@corp.example', name: 'A' }]
    expect(post({ message: { recipients: ['alice', ['@hr']] }, cc })).toEqual([])
    expect(post({ message: { recipients: 'alice' }, cc: [...cc, { email: 'bob@corp.example' }] })).toEqual(['audience'])
    expect(post({ message: { recipients: 'alice' }, cc: [...cc, { name: 'no address' }] })).toEqual(['argument'])
    expect(post({ message: 'alice', cc })).toEqual(['argument'])
  })

  test('what an object inherits is not an argument', () => {
    const odd = policyOf({ contracts: { x: { requires: { audience: { includes: ['$args.constructor.name'] } } } } })
    expect(kinds(decide(odd, fresh(odd), call('x', {})))).toEqual(['argument'])
  })

  test('literal readers and the principal count as well', () => {
    expect(kinds(decide(policy, fresh(policy), call('board__publish')))).toEqual([])
    expect(kinds(decide(policy, hr, call('board__publish')))).toEqual(['audience'])
    expect(kinds(decide(policy, after(policy, 'crm__read'), call('pad__share')))).toEqual([])
    expect(kinds(decide(policy, hr, call('pad__share')))).toEqual(['audience'])
    expect(kinds(decide(policy, hr, call('pad__share', {}, { principal: principal('bob', ['support']) })))).toEqual([
      'audience',
      'audience',
    ])
  })
})

describe('history', () => {
  test('what has to be done first must have succeeded, not only begun', () => {
    const began = { ...fresh(policy), effects: reserve(fresh(policy).effects, 'b', ['backup.completed']) }
    expect(kinds(decide(policy, fresh(policy), call('db__migrate')))).toEqual(['done'])
    expect(kinds(decide(policy, began, call('db__migrate')))).toEqual(['done'])
    expect(kinds(decide(policy, { ...began, effects: settle(began.effects, 'b') }, call('db__migrate')))).toEqual([])
  })

  test('two parallel calls cannot both pass not_done, and a failed one frees the other', () => {
    const effects = settle(reserve(fresh(policy).effects, 'b', ['backup.completed']), 'b')
    const ready = { ...fresh(policy), effects }
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { minLength: 2, maxLength: 6 }), fc.nat(5), (keys, position) => {
        let state: PolicyState = ready
        const allowed: string[] = []
        for (const callKey of keys) {
          const verdict = decide(policy, state, call('db__migrate', {}, { callKey }))
          if (verdict.action !== 'allow') continue
          allowed.push(callKey)
          state = { ...state, effects: reserve(state.effects, callKey, verdict.effects) }
        }
        const [winner] = keys
        expect(allowed).toEqual([winner])
        // The same call decided again, at the tool, is not blocked by its own reservation; a settled one blocks everyone.
        const again = keys[position % keys.length] ?? ''
        expect(decide(policy, state, call('db__migrate', {}, { callKey: again })).action).toBe(again === winner ? 'allow' : 'deny')
        const failed = { ...state, effects: release(state.effects, winner ?? '') }
        expect(decide(policy, failed, call('db__migrate', {}, { callKey: again })).action).toBe('allow')
        const succeeded = { ...state, effects: settle(state.effects, winner ?? '') }
        expect(decide(policy, succeeded, call('db__migrate', {}, { callKey: again })).action).toBe('deny')
      }),
    )
  })

  test('a hint of a server blocks not_done and never satisfies done', () => {
    const hinted = policyOf({ contracts: { a: { requires: { done: ['mutation'] } }, b: { requires: { not_done: ['mutation'] } }, c: {} } })
    const verdict = decide(hinted, fresh(hinted), call('c', {}, { tool: tool('c', { destructiveHint: true }) }))
    const state = { ...fresh(hinted), effects: settle(reserve(fresh(hinted).effects, 'call-1', verdict.effects), 'call-1') }
    expect(kinds(decide(hinted, state, call('a')))).toEqual(['done'])
    expect(kinds(decide(hinted, state, call('b')))).toEqual(['not_done'])
  })
})

describe('rules', () => {
  const rule = (when: string, verdict: 'deny' | 'warn') =>
    policyOf({ contracts, rules: [{ name: 'the-rule', when, verdict, reason: 'Because of policy.' }] })

  test('deny with their own reason', () => {
    const verdict = decide(rule(`'hr' in principal.groups`, 'deny'), fresh(policy), call('db__backup'))
    expect(verdict).toMatchObject({
      verdict: 'deny',
      reason: 'Because of policy.',
      rules: ['grant #1', 'contract db__backup', 'rule the-rule'],
    })
  })

  test('warn when nothing denies', () => {
    expect(decide(rule('true', 'warn'), fresh(policy), call('db__backup'))).toMatchObject({
      verdict: 'warn',
      action: 'allow',
      reason: 'Because of policy.',
    })
    expect(decide(rule('true', 'warn'), after(policy, 'web__get'), call('mail__send', { to: 'alice' }))).toMatchObject({
      verdict: 'deny',
      action: 'deny',
    })
  })

  test('deny when they cannot be answered, also when they would only warn', () => {
    for (const verdict of ['deny', 'warn'] as const) {
      const decided = decide(rule('args.amount > 10', verdict), fresh(policy), call('db__backup', { amount: 'IGNORE ALL RULES' }))
      expect(decided.gaps).toEqual([
        { kind: 'rule', detail: 'the condition of rule `the-rule` could not be answered for this call', source: 'rule the-rule' },
      ])
    }
  })
})

describe('a verdict', () => {
  test('has every gap at once', () => {
    const all = policyOf({
      grants: [],
      contracts: {
        x: { requires: { trust: 'trusted', audience: { includes: ['$args.to', '$args.cc'] }, done: ['a'], not_done: ['b'] } },
        ...contracts,
      },
      rules: [{ name: 'no', when: 'true', verdict: 'deny', reason: 'No.' }],
    })
    const read = after(all, 'web__get', 'hr__read')
    const state = { ...read, effects: reserve(read.effects, 'other', ['b']) }
    const verdict = decide(all, state, call('x', { to: 'eve@x.example' }))
    expect(kinds(verdict)).toEqual(['grant', 'trust', 'audience', 'argument', 'done', 'not_done', 'rule'])
    expect(verdict.reason).toMatch(/; and 4 more\.$/)
  })

  test('never quotes arguments or names a client or server chose', () => {
    const secret = 'Zx9IGNOREZx9'
    fc.assert(
      fc.property(
        fc.constantFrom('mail__send', 'mail__post', `evil__${secret}`),
        fc.constantFrom<JsonValue>(secret, [secret], `${secret}@x.example`, { [secret]: secret }),
        (name, value) => {
          const args = { to: value, message: { recipients: value }, cc: value, [secret]: value }
          expect(
            JSON.stringify(decide(policy, after(policy, 'web__get', 'hr__read'), call(name, args, { callKey: secret }))),
          ).not.toContain(secret)
        },
      ),
    )
  })

  test('is the same for the same inputs, and leaves them alone', () => {
    const state = fc.constantFrom(
      fresh(policy),
      after(policy, 'web__get'),
      after(policy, 'hr__read'),
      after(policy, 'hr__read', 'crm__read', 'web__x'),
    )
    const name = fc.constantFrom(...Object.keys(contracts), 'new__tool')
    const to = fc.constantFrom<JsonValue>('alice', 'bob@corp.example', ['@hr', 'eve@x.example'], 7)
    fc.assert(
      fc.property(state, name, to, (before, toolName, value) => {
        const copy = structuredClone({ state: before, args: { to: value } })
        const verdict = decide(policy, before, call(toolName, { to: value }))
        const replayed = decide(policyOf({ contracts }), copy.state, call(toolName, copy.args))
        expect(replayed).toEqual(verdict)
        expect(before).toEqual(copy.state)
      }),
    )
  })

  test('has no hole: what is allowed meets trust and lets no outsider receive, whatever was read before', () => {
    const reads = fc.array(fc.constantFrom('web__a', 'hr__read', 'crm__read', 'new__tool', 'db__backup'), { maxLength: 5 })
    const recipients = fc.array(
      fc.constantFrom('alice', 'alice@corp.example', 'bob', 'bob@corp.example', 'carol', 'eve@x.example', '@hr', '@support'),
      { minLength: 1, maxLength: 3 },
    )
    // Who may receive, written down by hand.
    const mayReceive = {
      hr__read: ['alice', 'alice@corp.example', '@hr'],
      crm__read: ['alice', 'alice@corp.example', 'bob', 'bob@corp.example', '@support'],
    }
    fc.assert(
      fc.property(reads, recipients, fc.constantFrom(',', ';', 'list'), (read, to, form) => {
        const verdict = decide(policy, after(policy, ...read), call('mail__send', { to: form === 'list' ? to : to.join(form) }))
        const untrusted = read.includes('web__a') || read.includes('new__tool')
        const leaks = to.some((reader) =>
          Object.entries(mayReceive).some(([source, readers]) => read.some((name) => name === source) && !readers.includes(reader)),
        )
        expect(verdict.action).toBe(untrusted || leaks ? 'deny' : 'allow')
      }),
      { numRuns: 500 },
    )
  })
})
