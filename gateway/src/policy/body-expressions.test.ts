/** Expressions over calls and their bodies: what they see, what they may come to, and that they are bounded. */
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../core/json.ts'
import { UnfitChange } from '../core/json-patch.ts'
import { compileBodyExpression, type BodyExpressionInput } from './body-expressions.ts'

const caps = { max_nodes: 200, max_loops: 2, max_list: 1000 }
const caller = {
  key: 'alice-key',
  principal: { id: 'alice', kind: 'user', groups: ['staff'], emails: ['alice@corp.example'], credentials: new Map(), issuer: null },
  consumer: 'laptop',
  actor: null,
  claims: { tenant: 'acme' },
} as unknown as BodyExpressionInput['caller']

function valueOf(text: string, body: JsonObject = {}) {
  const compiled = compileBodyExpression(text, caps)
  if ('problems' in compiled) throw new Error(compiled.problems.join('; '))
  return compiled.expression.value({ caller, model: 'm', dialect: 'messages', headers: { 'x-team': 'blue' }, stream: true, body })
}

test.each<[string, unknown]>([
  ['"team-" + headers["x-team"]', 'team-blue'],
  ['principal.id + "/" + consumer + actor', 'alice/laptop'],
  ['principal.claims.tenant', 'acme'],
  ['"staff" in principal.groups', true],
  ['[model, dialect, string(stream)]', ['m', 'messages', 'true']],
  ['body.metadata', { team: 'red', tags: ['a', 1, null] }],
  ['{"who": principal.id, "tags": body.metadata.tags.filter(t, t != 1)}', { who: 'alice', tags: ['a', null] }],
  ['has(body.temperature) ? body.temperature : 0.2', 0.5],
  ['has(body.top_p)', false],
  ['body.max_tokens > 100 ? 100 : body.max_tokens', 100],
  ['uint(7)', 7],
  ['null', null],
  ['body["user"]', 'u'],
])('%s', (text, value) => {
  const body = { metadata: { team: 'red', tags: ['a', 1, null] }, temperature: 0.5, max_tokens: 4096, user: 'u' }
  expect(valueOf(text, body)).toEqual(value)
})

test.each([
  ['body.nope', 'it has no answer here'],
  ['body.user + 1', 'it has no answer here'],
  ['1 / (body.zero)', 'it has no answer here'],
  ['timestamp("2026-01-01T00:00:00Z")', 'what it comes to is no JSON'],
  ['b"bytes"', 'what it comes to is no JSON'],
  ['type(1)', 'what it comes to is no JSON'],
  ['1.0 / 0.0', 'what it comes to is no JSON'],
  ['9007199254740993', 'what it comes to is no number of JSON'],
  ['{1: 2}', 'what it comes to has a name that is none'],
  ['{"__proto__": 1}', 'what it comes to has a name that is none'],
  ['body.long + body.long', 'what it comes to is too large'],
  ['body.many.map(x, [x])', 'what it comes to is too large'],
  ['body.deep', 'what it comes to is too large'],
  ['size(body.huge)', 'what it reads is too large'],
  ['size(body.wide)', 'what it reads is too large'],
])('%s: %s', (text, why) => {
  const deep = JSON.parse(`${'['.repeat(20)}${']'.repeat(20)}`) as JsonObject
  const body = {
    user: 'a-secret',
    zero: 0,
    long: 'x'.repeat(20_000),
    many: Array.from({ length: 900 }, () => 1),
    wide: Array.from({ length: 1001 }, () => 1),
    deep,
    huge: 'x'.repeat(1_100_000),
  }
  expect(() => valueOf(text, body)).toThrow(new UnfitChange(why))
})

test('what an expression does not read may be as large as it likes', () => {
  expect(valueOf('body.user', { user: 'u', metadata: 'x'.repeat(2_000_000) })).toBe('u')
  expect(() => valueOf('size(body)', { user: 'u', metadata: 'x'.repeat(2_000_000) })).toThrow('what it reads is too large')
})

describe('one that could not be bounded, or reads what there is not, is no expression', () => {
  test.each([
    ['principal.name', '`principal` has no `name`'],
    ['args.x', '`args` is not a variable of conditions'],
    ['body.a.map(a, body.b.map(b, body.c.map(c, a + b + c)))', 'loops are nested deeper than 2'],
    [Array.from({ length: 120 }, () => 'body.a').join(' + '), 'the condition has more than 200 parts'],
    ['body.user.matches(body.pattern)', 'the pattern of `matches` must be written out'],
    ['body.', 'the expression cannot be read'],
  ])('%s', (text, problem) => {
    const compiled = compileBodyExpression(text, caps)
    expect('problems' in compiled && compiled.problems.join('; ')).toContain(problem)
  })
})
