import { expect, test } from 'vitest'
import { configSchema } from '@turnward/contract/config'
import { granted, GrantIndex } from './grant-index.ts'
import { grantLines } from './grants.ts'
import { alice, type ConfigInput, principal } from './written-policy.fixture.ts'
import type { Grantee } from './types.ts'

const indexOf = (grants: ConfigInput['grants'], principals: ConfigInput['principals'] = {}) =>
  new GrantIndex(grantLines(configSchema.parse({ grants, principals })))
const by = (who = alice, more: Partial<Grantee> = {}): Grantee => ({ principal: who, actor: null, ...more })

/** No restriction. */
const all = { models: null, gateways: null, tools: null }

const grants = indexOf([
  { groups: ['hr'], tools: ['hr__*'] },
  { principals: ['bob'], models: ['gpt-5'], gateways: ['office'] },
  { principals: ['*'], tools: ['time__now'] },
])

test('what no grant names is denied, for every kind', () => {
  expect(granted(grants, by(), 'tools', 'mail__send')).toBeUndefined()
  expect(granted(grants, by(), 'models', 'hr__read')).toBeUndefined()
  expect(granted(indexOf([]), by(), 'tools', 'time__now')).toBeUndefined()
})

test('the first grant for the principal, a group of it or everyone is named as the source', () => {
  expect(granted(grants, by(), 'tools', 'hr__read')).toBe('grant #1')
  expect(granted(grants, by(principal('bob')), 'models', 'gpt-5')).toBe('grant #2')
  expect(granted(grants, by(principal('bob')), 'gateways', 'office')).toBe('grant #2')
  expect(granted(grants, by(principal('nobody')), 'tools', 'time__now')).toBe('grant #3')
})

test('a group is not a principal of the same name, and `*` is not a principal id', () => {
  expect(granted(grants, by(principal('hr')), 'tools', 'hr__read')).toBeUndefined()
  expect(granted(indexOf([{ principals: ['bob'], tools: ['x'] }]), by(principal('*')), 'tools', 'x')).toBeUndefined()
})

test('one line lets a person read Jira and keeps them from posting to Slack, whatever else allows it', () => {
  const index = indexOf([
    { principals: ['*'], servers: ['slack'] },
    { principals: ['alice'], servers: ['jira'], forbid: { tools: ['slack__post_*'] } },
  ])
  expect(index.ruling(by(), 'tools', 'jira__search')).toEqual({ allowed: true, source: 'grant #2' })
  expect(index.ruling(by(), 'tools', 'slack__post_message')).toEqual({ allowed: false, source: 'forbid #2' })
  expect(index.ruling(by(), 'tools', 'slack__read')).toEqual({ allowed: true, source: 'grant #1' })
  expect(index.ruling(by(principal('bob')), 'tools', 'slack__post_message')).toEqual({ allowed: true, source: 'grant #1' })
})

test('a server is all its tools, resources and prompts, and nothing of another', () => {
  const index = indexOf([{ principals: ['*'], servers: ['jira', 'ops-*'] }])
  for (const name of ['jira__search', 'resource:jira/issue://1', 'prompt:jira/triage', 'ops-eu__restart', 'jira__'])
    expect([name, granted(index, by(), 'tools', name)]).toEqual([name, 'grant #1'])
  for (const name of ['jira', 'jira2__x', 'slack__jira__x', 'slack__ops-eu__x', 'resource:slack/jira/x', 'Bash'])
    expect([name, granted(index, by(), 'tools', name)]).toEqual([name, undefined])
  expect(granted(index, by(), 'models', 'jira__search')).toBeUndefined()
})

test('consumers, actors and issuers narrow a line further', () => {
  const index = indexOf([{ groups: ['hr'], consumers: ['desk'], actors: ['triage'], issuers: ['acme'], tools: ['x'] }])
  const fits = { consumer: 'desk', actor: 'triage', issuer: 'acme' }
  expect(granted(index, by(alice, fits), 'tools', 'x')).toBe('grant #1')
  for (const other of [{ consumer: 'shop' }, { consumer: null }, { actor: 'other' }, { actor: null }, { issuer: 'evil' }, { issuer: null }])
    expect(granted(index, by(alice, { ...fits, ...other }), 'tools', 'x')).toBeUndefined()
  expect(granted(index, by(principal('bob'), fits), 'tools', 'x')).toBeUndefined()
})

test('a line without principals and groups is for everyone who calls this way', () => {
  const index = indexOf([{ consumers: ['desk'], tools: ['x'], forbid: { models: ['*'] } }])
  expect(granted(index, by(principal('bob'), { consumer: 'desk' }), 'tools', 'x')).toBe('grant #1')
  expect(granted(index, by(principal('bob')), 'tools', 'x')).toBeUndefined()
})

test('an agent is allowed by its own name and not by that of the agent before it, and forbidden by either', () => {
  const allow = indexOf([{ principals: ['*'], actors: ['triage'], tools: ['x'] }])
  expect(granted(allow, by(alice, { actor: 'helper', actors: ['helper', 'triage'] }), 'tools', 'x')).toBeUndefined()
  expect(granted(allow, by(alice, { actor: 'triage', actors: ['triage', 'helper'] }), 'tools', 'x')).toBe('grant #1')
  const forbid = indexOf([
    { principals: ['*'], tools: ['x'] },
    { actors: ['triage'], forbid: { tools: ['x'] } },
  ])
  for (const actors of [['helper', 'triage'], ['triage'], ['TRIAGE']])
    expect(forbid.ruling(by(alice, { actor: actors[0] ?? null, actors }), 'tools', 'x').source).toBe('forbid #2')
  expect(granted(forbid, by(alice, { actor: 'helper', actors: ['helper'] }), 'tools', 'x')).toBe('grant #1')
})

test('names allow as they are written, and forbid however they are written', () => {
  const index = indexOf([
    { principals: ['Dana@acme.example'], groups: ['Support'], tools: ['x'] },
    { principals: ['eve@acme.example'], groups: ['Interns'], forbid: { tools: ['y'] } },
    { principals: ['*'], tools: ['y'] },
  ])
  expect(granted(index, by(principal('dana@acme.example', ['support'])), 'tools', 'x')).toBeUndefined()
  expect(granted(index, by(principal('eve')), 'tools', 'y')).toBe('grant #3')
  for (const who of [principal('EVE@acme.example'), principal('u1', ['interns']), principal('u1', [], ['Eve@Acme.example'])])
    expect(index.ruling(by(who), 'tools', 'y')).toEqual({ allowed: false, source: 'forbid #2' })
})

test('the address of a declared principal means that principal', () => {
  const index = indexOf(
    [
      { principals: ['alice@corp.example'], tools: ['x'], forbid: { tools: ['y'] } },
      { principals: ['*'], tools: ['y'] },
    ],
    { alice: { emails: ['alice@corp.example'] } },
  )
  expect(granted(index, by(principal('alice')), 'tools', 'x')).toBe('grant #1')
  expect(index.ruling(by(principal('alice')), 'tools', 'y').source).toBe('forbid #1')
  expect(granted(index, by(principal('mallory', [], ['alice@corp.example'])), 'tools', 'x')).toBeUndefined()
})

test('a key can do less than its owner, and is named where it is what denies', () => {
  const index = indexOf([{ principals: ['*'], models: ['gpt-*'], tools: ['*'], forbid: { tools: ['wire'] } }])
  const key = by(alice, {
    key: 'key_1',
    within: { ...all, models: ['gpt-5', 'claude'], tools: ['x', 'wire'], and: { ...all, tools: ['x'] } },
  })
  expect(index.ruling(key, 'models', 'gpt-5')).toEqual({ allowed: true, source: 'grant #1' })
  expect(index.ruling(key, 'models', 'gpt-4')).toEqual({ allowed: false, source: 'key key_1' })
  expect(index.ruling(key, 'models', 'claude')).toEqual({ allowed: false, source: 'grants' })
  expect(index.ruling(key, 'tools', 'wire')).toEqual({ allowed: false, source: 'forbid #1' })
  expect(index.ruling(key, 'tools', 'y')).toEqual({ allowed: false, source: 'key key_1' })
  expect(granted(index, by(alice, { within: { ...all, tools: [] } }), 'tools', 'x')).toBeUndefined()
  // What it finds and runs is judged by itself.
  expect(granted(index, by(alice, { within: { ...all, tools: [] } }), 'tools', 'turnward__search_tools')).toBe('grant #1')
})
