/** The index means what the definition says: every line that holds and names it, one after the other. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { configSchema } from '@turnward/contract/config'
import { GrantIndex } from './grant-index.ts'
import { type GrantKind, grantLines } from './grants.ts'
import { compilePattern } from './patterns.ts'
import { type ConfigInput, principal } from './written-policy.fixture.ts'
import type { Grantee } from './types.ts'

type Line = NonNullable<ConfigInput['grants']>[number]

const ids = ['alice', 'Alice', 'bob', 'bob@acme.example']
const groups = ['staff', 'Staff', 'ops']
const names = {
  models: ['gpt-5', 'gpt-4', 'claude'],
  gateways: ['main', 'lab'],
  tools: ['jira__read', 'jira__write', 'slack__post', 'resource:jira/x', 'Bash'],
}
const patterns = {
  models: [...names.models, 'gpt-*', '*'],
  gateways: [...names.gateways, '*'],
  servers: ['jira', 'slack', 'j*', '*'],
  tools: [...names.tools, 'jira__*', '*__*', 's*t', '*'],
}
const some = (values: readonly string[]) => fc.subarray([...values], { maxLength: Math.min(2, values.length) })
const named = fc.record({
  models: some(patterns.models),
  gateways: some(patterns.gateways),
  servers: some(patterns.servers),
  tools: some(patterns.tools),
})
const optional = (values: readonly string[]) => fc.option(fc.subarray([...values], { minLength: 1 }), { nil: undefined, freq: 3 })
const line: fc.Arbitrary<Line> = fc
  .record({
    principals: some(['*', ...ids]),
    groups: some(groups),
    consumers: optional(['desk', 'Desk']),
    actors: optional(['triage', 'helper']),
    issuers: optional(['acme', 'other']),
    allowed: named,
    forbid: fc.option(named, { nil: undefined, freq: 2 }),
  })
  .map(({ allowed, ...rest }) => ({ ...allowed, ...rest }))
  .filter((one) => configSchema.safeParse({ grants: [one] }).success)

const restriction = fc.record({
  models: fc.option(some(patterns.models)),
  gateways: fc.option(some(patterns.gateways)),
  tools: fc.option(some(patterns.tools)),
})
const caller: fc.Arbitrary<Grantee> = fc
  .record({
    principal: fc.tuple(fc.constantFrom(...ids), some(groups), some(['bob@acme.example'])).map((parts) => principal(...parts)),
    consumer: fc.constantFrom('desk', 'shop', null),
    actors: fc.subarray(['triage', 'helper', 'Triage'], { maxLength: 2 }),
    issuer: fc.constantFrom('acme', 'Acme', null),
    within: fc.option(restriction, { nil: undefined }),
  })
  .map((parts) => ({ ...parts, actor: parts.actors[0] ?? null, key: 'key_1' }))
const asked = fc.oneof(
  ...(Object.keys(names) as GrantKind[]).map((kind) => fc.tuple(fc.constant(kind), fc.constantFrom(...names[kind], 'nothing'))),
)

const same = (one: string, other: string): boolean => one === other
const alike = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()
const matches = (all: readonly string[], name: string): boolean => all.some((pattern) => compilePattern(pattern)(name))

function isNamed(parts: Pick<Line, GrantKind | 'servers'>, kind: GrantKind, name: string): boolean {
  const server = /^(?:(?:resource|prompt):([^/]+)\/|([^_]+)__)/.exec(name)
  const owner = server?.[1] ?? server?.[2]
  return matches(parts[kind] ?? [], name) || (kind === 'tools' && owner !== undefined && matches(parts.servers ?? [], owner))
}

/** The definition: a line holds for somebody, and says something. */
function holds(one: Line, who: Grantee, effect: 'allow' | 'forbid'): boolean {
  const is = effect === 'allow' ? same : alike
  const { id, emails, groups: own } = who.principal
  const called = effect === 'allow' ? [id] : [id, ...emails]
  const wantedIds = one.principals ?? []
  const wantedGroups = one.groups ?? []
  const isFor =
    wantedIds.includes('*') ||
    (wantedIds.length === 0 && wantedGroups.length === 0) ||
    wantedIds.some((wanted) => called.some((name) => is(wanted, name))) ||
    wantedGroups.some((wanted) => own.some((name) => is(wanted, name)))
  const acting = effect === 'allow' ? (who.actors ?? []).slice(0, 1) : (who.actors ?? [])
  const fits = (wanted: readonly string[] | undefined, found: readonly (string | null | undefined)[]) =>
    wanted === undefined || wanted.some((name) => found.some((other) => typeof other === 'string' && is(name, other)))
  return isFor && fits(one.consumers, [who.consumer]) && fits(one.actors, acting) && fits(one.issuers, [who.issuer])
}

function naive(lines: readonly Line[], who: Grantee, kind: GrantKind, name: string): string {
  const forbidden = lines.findIndex((one) => one.forbid !== undefined && holds(one, who, 'forbid') && isNamed(one.forbid, kind, name))
  if (forbidden >= 0) return `forbid #${forbidden + 1}`
  const allowed = lines.findIndex((one) => holds(one, who, 'allow') && isNamed(one, kind, name))
  if (allowed < 0) return 'grants'
  const most = who.within?.[kind] ?? null
  return most === null || matches(most, name) ? `grant #${allowed + 1}` : 'key key_1'
}

const indexOf = (grants: readonly Line[]) => new GrantIndex(grantLines(configSchema.parse({ grants })))

test('what the index says is what the lines say one by one', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), fc.array(fc.tuple(caller, asked), { minLength: 1, maxLength: 6 }), (lines, questions) => {
      const index = indexOf(lines)
      // Twice: the second answer comes from what is remembered.
      for (const [who, [kind, name]] of [...questions, ...questions])
        expect(index.ruling(who, kind, name).source).toBe(naive(lines, who, kind, name))
    }),
    { numRuns: 400 },
  )
})

test('more lines than fit into a word are told apart', () => {
  const lines = Array.from({ length: 100 }, (_, at): Line => ({ principals: [`p${at}`], tools: [`t${at}`], forbid: { tools: [`f${at}`] } }))
  const index = indexOf([...lines, { principals: ['*'], tools: ['f*'] }])
  for (const at of [0, 31, 32, 63, 64, 99]) {
    const who: Grantee = { principal: principal(`p${at}`), actor: null }
    expect(index.ruling(who, 'tools', `t${at}`)).toEqual({ allowed: true, source: `grant #${at + 1}` })
    expect(index.ruling(who, 'tools', `t${(at + 1) % 100}`).allowed).toBe(false)
    expect(index.ruling(who, 'tools', `f${at}`)).toEqual({ allowed: false, source: `forbid #${at + 1}` })
    expect(index.ruling(who, 'tools', `f${(at + 1) % 100}`)).toEqual({ allowed: true, source: 'grant #101' })
  }
})

test('another forbidding line never allows anything, and what it names is gone', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 5 }), named, caller, asked, fc.nat(5), (lines, forbid, who, [kind, name], at) => {
      const before = indexOf(lines).ruling(who, kind, name).allowed
      const added: Line = { principals: ['*'], forbid }
      const after = indexOf([...lines.slice(0, at), added, ...lines.slice(at)]).ruling(who, kind, name).allowed
      expect(after && !before).toBe(false)
      if (isNamed(forbid, kind, name)) expect(after).toBe(false)
    }),
    { numRuns: 200 },
  )
})

test('a restriction of a key never allows more, nor does a second one', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 5 }), caller, restriction, asked, (lines, who, more, [kind, name]) => {
      const index = indexOf(lines)
      const within = who.within === undefined ? more : { ...who.within, and: more }
      expect(index.ruling({ ...who, within }, kind, name).allowed && !index.ruling(who, kind, name).allowed).toBe(false)
      expect(index.ruling({ ...who, within: { ...more, [kind]: [] } }, kind, name).allowed).toBe(false)
    }),
    { numRuns: 200 },
  )
})

test('callers for whom the same lines hold share what is kept of them', () => {
  const index = indexOf([
    { groups: ['staff'], tools: ['x'] },
    { principals: ['bob'], tools: ['y'] },
  ])
  const [one, other, bob] = ['u1', 'u2', 'bob'].map((id): Grantee => ({ principal: principal(id, ['staff']), actor: null }))
  if (one === undefined || other === undefined || bob === undefined) throw new Error('there are three')
  expect(index.standing(one)).toBe(index.standing(other))
  expect(index.standing(one)).not.toBe(index.standing(bob))
  expect(index.standing({ ...one, within: { models: [], gateways: null, tools: null } })).not.toBe(index.standing(one))
})
