import { describe, expect, test } from 'vitest'
import type { Snapshot, Upstream } from '../config/snapshot.ts'
import type { Caller } from '../core/principal.ts'
import { resolveCredential } from './credentials.ts'
import { principal, snapshotWith } from './identity-parts.fixture.ts'

const ids = ['of-key', 'of-principal', 'of-first-group', 'of-second-group', 'of-upstream']

function world(mapped: {
  key?: string
  principal?: string
  groups?: Record<string, string>
  upstream?: string
  kind?: string
}): [Snapshot, Caller] {
  const map = (id: string | undefined) => new Map(id === undefined ? [] : [['up', id]])
  const upstream = { name: 'up', config: { kind: mapped.kind ?? 'openai', credential: mapped.upstream } } as Upstream
  const snapshot = snapshotWith({
    upstreams: new Map([['up', upstream]]),
    credentials: new Map(ids.map((id) => [id, { id, secret: `secret ${id}` }])),
    groupCredentials: new Map(Object.entries(mapped.groups ?? {}).map(([group, id]) => [group, map(id)])),
  })
  const caller = {
    principal: principal('alice', { groups: ['zeta', 'alpha'], credentials: map(mapped.principal) }),
    key: 'k',
    consumer: null,
    actor: null,
    credentials: map(mapped.key),
  }
  return [snapshot, caller]
}

const groups = { alpha: 'of-second-group', zeta: 'of-first-group' }

describe('the credential of a call', () => {
  test.each([
    ['the key', { key: 'of-key', principal: 'of-principal', groups, upstream: 'of-upstream' }, 'of-key'],
    ['the principal', { principal: 'of-principal', groups, upstream: 'of-upstream' }, 'of-principal'],
    ["the first group in the principal's order", { groups, upstream: 'of-upstream' }, 'of-first-group'],
    ['a later group when the first maps none', { groups: { alpha: 'of-second-group' }, upstream: 'of-upstream' }, 'of-second-group'],
    ['the upstream', { upstream: 'of-upstream' }, 'of-upstream'],
  ])('comes from %s', (_, mapped, id) => {
    expect(resolveCredential(...world(mapped), 'up')).toEqual({ id, secret: `secret ${id}` })
  })

  test('is none when the mapping says so, even where a broader one exists', () => {
    expect(resolveCredential(...world({ principal: 'none', upstream: 'of-upstream' }), 'up')).toEqual({ id: 'none', secret: undefined })
    expect(resolveCredential(...world({ upstream: 'none' }), 'up')).toEqual({ id: 'none', secret: undefined })
  })

  test('is none for a scripted upstream nobody maps one for', () => {
    expect(resolveCredential(...world({ kind: 'scripted' }), 'up')).toEqual({ id: 'none', secret: undefined })
  })

  test.each([
    ['nobody maps one', {}],
    ['the mapping names an unknown one, although the upstream has its own', { key: 'removed', upstream: 'of-upstream' }],
  ])('is missing when %s', (_, mapped) => {
    expect(() => resolveCredential(...world(mapped), 'up')).toThrow(expect.objectContaining({ code: 'upstream.credential' }))
  })

  test('is missing for an upstream that is not configured', () => {
    expect(() => resolveCredential(...world({ key: 'of-key' }), 'other')).toThrow(expect.objectContaining({ code: 'upstream.credential' }))
  })
})
