import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../core/json.ts'
import { compileCondition } from './conditions.ts'
import { alice, problemsOf, tool } from './written-policy.fixture.ts'
import type { RuleInput } from './types.ts'

const context = { conditions: { max_nodes: 200, max_loops: 1, max_list: 100 }, trustRanks: ['untrusted', 'trusted'] }

function compiled(when: string) {
  const condition = compileCondition(when, context)
  if ('problems' in condition) throw new Error(condition.problems.join('; '))
  return condition
}

function problems(when: string): readonly string[] {
  const condition = compileCondition(when, context)
  return 'problems' in condition ? condition.problems : []
}

function input(args: JsonObject = {}): RuleInput {
  return {
    principal: alice,
    claims: { department: 'hr', 'address.country': 'NO', level: 3, teams: ['a'] },
    actor: null,
    tool: tool('mail__send', { destructiveHint: true }),
    effects: ['egress', 'mutation'],
    args,
    gateway: 'office',
    state: { label: { trust: 0, audience: [['@hr']] }, effects: { done: ['?maybe', 'backup'], reserved: {} } },
  }
}

describe('a condition', () => {
  test.each([
    `principal.id == 'alice' && principal.kind == 'human' && 'hr' in principal.groups && 'alice@corp.example' in principal.emails`,
    `tool.name == 'mail__send' && tool.server == 'mail' && 'mutation' in tool.effects && tool.hints.destructiveHint`,
    `!has(tool.hints.readOnlyHint)`,
    `session.trust == 'untrusted' && session.trust_rank == 0 && session.audience == [['@hr']]`,
    `'backup' in session.done && !('maybe' in session.done) && session.done.size() == 1`,
    `actor == null && gateway == 'office'`,
    `principal.claims.department == 'hr' && principal.claims['address.country'] == 'NO'`,
    `principal.claims.level > 2 && 'a' in principal.claims.teams && !has(principal.claims.clearance)`,
    `!has(args.cc)`,
  ])('sees its variables: %s', (when) => expect(compiled(when).applies(input())).toBe(true))

  test.each([
    ['args.amount > 1000', { amount: 1001 }],
    ['args.amount > 1000', { amount: 1000.5 }],
    ['args.amount > 1000', { amount: 1e300 }],
    ['args.amount >= 1000.5', { amount: 1001 }],
    ['args.amount == 2', { amount: 2.0 }],
    ['args.lines.exists(line, line.sum > 10)', { lines: [{ sum: 1 }, { sum: 10.5 }] }],
    [`args['to'].endsWith('@corp.example')`, { to: 'bob@corp.example' }],
    [`args.to.matches('^[a-z]+@corp[.]example$')`, { to: 'bob@corp.example' }],
    [`args.a.b[1] == 'x'`, { a: { b: ['', 'x'] } }],
    [`args.all(name, name != 'bcc')`, { to: 'x' }],
    [`type(args.n) == int ? true : false`, { n: 3 }],
    [`-args.n in [-3] && !(args.n % 2 == 0) && args.n - 1 + 1 * 2 / 2 == 3`, { n: 3 }],
  ])('computes %s over %j', (when, args) => expect(compiled(when).applies(input(args))).toBe(true))

  test.each<[string, JsonObject, string]>([
    ['args.amount > 1000', {}, 'a missing argument'],
    ['args.amount > 1000', { amount: '5000' }, 'an argument of another type'],
    ['args.amount', { amount: 5 }, 'a result that is not a boolean'],
    ['actor', {}, 'a null result'],
    [`args.to.exists(x, x == 'a')`, { to: Array.from({ length: 101 }, () => 'b') }, 'a list beyond the cap'],
    [`args.deep.size() == 1`, { deep: [Array.from({ length: 101 }, () => 'b')] }, 'a nested list beyond the cap'],
    [
      `args.map.size() > 0`,
      { map: Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`k${index}`, 1])) },
      'a map beyond the cap',
    ],
    [`args.text == 'x'`, { text: 'x'.repeat(2_000_000) }, 'more text than a condition reads'],
  ])('throws for %s over %j (%s)', (when, args) => expect(() => compiled(when).applies(input(args))).toThrow(/condition/))

  test('throws for values nested beyond any real argument', () => {
    let deep: JsonObject = {}
    for (let index = 0; index < 1000; index++) deep = { deep }
    expect(() => compiled('args.deep == null').applies(input(deep))).toThrow(/too large/)
  })

  test('says nothing of the arguments when it throws', () => {
    expect(() => compiled('int(args.n) > 1').applies(input({ n: 'SECRET' }))).toThrow(/^the condition failed$/)
  })

  test('does not weigh arguments it does not read', () => {
    expect(
      compiled(`args.to == 'x'`).applies(input({ to: 'x', body: 'x'.repeat(2_000_000), list: Array.from({ length: 5000 }, () => 1) })),
    ).toBe(true)
  })

  test('reads arguments with odd names as plain data', () => {
    const args = JSON.parse('{"a":{"$typeName":"google.protobuf.Any","constructor":1,"__proto__":{"x":1}}}') as JsonObject
    expect(
      compiled(`args.a['$typeName'] == 'google.protobuf.Any' && args.a.constructor == 1 && args.a['__proto__'].x == 1`).applies(
        input(args),
      ),
    ).toBe(true)
    expect(() => compiled('args.toString == null').applies(input({}))).toThrow()
  })
})

describe('readsArguments', () => {
  test.each([
    ['args.x == 1', true],
    [`args['x'] == 1`, true],
    ['has(args.x)', true],
    ['args.size() > 0', true],
    [`principal.groups.exists(group, group in args.groups)`, true],
    [`'hr' in principal.groups`, false],
    [`principal.groups.exists(args, args == 'hr')`, false],
  ])('%s: %s', (when, expected) => expect(compiled(when).readsArguments).toBe(expected))
})

describe('a condition is refused when it is written', () => {
  test.each([
    ['princpal.id == "a"', /`princpal` is not a variable of conditions; did you mean `principal`/],
    ['principal.group == []', /`principal` has no `group`; did you mean `groups`/],
    ['session.done.exists(x, y == x)', /`y` is not a variable/],
    ['lower(tool.name) == "x"', /no function `lower`/],
    ['args.a.matches(args.b)', /must be written out/],
    ['google.protobuf.Duration{seconds: 1} == args.x', /cannot make messages/],
    ['args.a.exists(x, args.b.exists(y, x == y))', /loops are nested deeper than 1/],
    [Array.from({ length: 201 }, () => 'true').join(' && '), /more than 200 parts/],
    ['args.x ==', /cannot be read/],
    ['('.repeat(2000), /cannot be read/],
  ])('%s', (when, message) => expect(problems(when).join('; ')).toMatch(message))

  test('loops one after the other are not nested', () => {
    expect(problems(`args.a.filter(x, x > 1).exists(y, y < 5) || args.b.all(z, z == 1)`)).toEqual([])
  })

  test('with its path in the configuration', () => {
    const rules = [
      { name: 'a', when: 'nope', verdict: 'deny', reason: 'no' } as const,
      { name: 'a', when: 'true', verdict: 'warn', reason: 'no' } as const,
    ]
    expect(problemsOf({ rules })).toEqual([
      'rules.0.when: `nope` is not a variable of conditions',
      'rules.1.name: there is another rule named `a`',
    ])
  })
})
