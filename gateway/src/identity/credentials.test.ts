import { describe, expect, test } from 'vitest'
import type { Snapshot, Upstream } from '../config/snapshot.ts'
import type { Credential } from '../core/credential.ts'
import type { Caller } from '../core/principal.ts'
import { resolveCredential } from './credentials.ts'
import { principal, snapshotWith } from './identity-parts.fixture.ts'
import { nobodysCredentials, ownerText, type StoredCredentials } from './vault/stored-credentials.ts'

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
    credentials: new Map(ids.map((id) => [id, { id, kind: 'static' as const, secret: `secret ${id}` }])),
    groupCredentials: new Map(Object.entries(mapped.groups ?? {}).map(([group, id]) => [group, map(id)])),
  })
  const caller = {
    principal: principal('alice', { groups: ['zeta', 'alpha'], credentials: map(mapped.principal) }),
    key: 'k',
    consumer: null,
    actor: null,
    actors: [],
    issuer: null,
    scopes: null,
    expires: null,
    claims: {},
    credentials: map(mapped.key),
    later: 'k',
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
    expect(resolveCredential(...world(mapped), 'up', 0, nobodysCredentials)).toEqual({
      id,
      credential: { kind: 'secret', secret: `secret ${id}` },
    })
  })

  test('is none when the mapping says so, even where a broader one exists', () => {
    expect(resolveCredential(...world({ principal: 'none', upstream: 'of-upstream' }), 'up', 0, nobodysCredentials)).toEqual({
      id: 'none',
      credential: { kind: 'none' },
    })
    expect(resolveCredential(...world({ upstream: 'none' }), 'up', 0, nobodysCredentials)).toEqual({
      id: 'none',
      credential: { kind: 'none' },
    })
  })

  test('may have to be obtained: it is waited for, and one that cannot be had is missing', async () => {
    const obtaining = (obtain: () => Promise<Credential>) => {
      const [snapshot, caller] = world({ upstream: 'cloud' })
      return resolveCredential(
        { ...snapshot, credentials: new Map([['cloud', { id: 'cloud', kind: 'obtained', obtain }]]) },
        caller,
        'up',
        0,
        nobodysCredentials,
      )
    }
    const given = { kind: 'secret', secret: 'short-lived' } as const
    expect(await obtaining(async () => given)).toEqual({ id: 'cloud', credential: given })
    await expect(obtaining(() => Promise.reject(new Error('no network')))).rejects.toMatchObject({ code: 'upstream.credential' })
  })

  test.each([
    ['nobody maps one', {}],
    ['the mapping names an unknown one, although the upstream has its own', { key: 'removed', upstream: 'of-upstream' }],
  ])('is missing when %s', (_, mapped) => {
    expect(() => resolveCredential(...world(mapped), 'up', 0, nobodysCredentials)).toThrow(
      expect.objectContaining({ code: 'upstream.credential' }),
    )
  })

  test('is missing for an upstream that is not configured', () => {
    expect(() => resolveCredential(...world({ key: 'of-key' }), 'other', 0, nobodysCredentials)).toThrow(
      expect.objectContaining({ code: 'upstream.credential' }),
    )
  })
})

describe('a credential that somebody has stored', () => {
  const storedFor = (...owners: string[]): StoredCredentials => ({
    settled: () => undefined,
    isEmpty: owners.length === 0,
    of: (owner) =>
      owners.includes(ownerText(owner)) ? Promise.resolve({ id: `of ${ownerText(owner)}`, kind: 'static', secret: 's' }) : undefined,
  })
  const groups = { zeta: 'of-first-group', alpha: 'of-second-group' }

  test.each([
    ['the key maps one', { key: 'of-key' }, ['alice'], 'of-key'],
    ["it is the person's, before what is mapped for them", { principal: 'of-principal' }, ['alice', 'group:zeta'], 'of alice'],
    ['one is mapped for the person', { principal: 'of-principal' }, ['group:zeta'], 'of-principal'],
    ["the first group in the person's order has one", { groups }, ['group:zeta', 'group:alpha', ''], 'of group:zeta'],
    ['an earlier group has one mapped', { groups }, ['group:alpha'], 'of-first-group'],
    ["it is the organisation's, and the upstream has its own", { upstream: 'of-upstream' }, [''], 'of '],
    ["it is somebody else's", { upstream: 'of-upstream' }, ['bob', 'group:other'], 'of-upstream'],
  ])('counts in its order: %s', async (_, mapped, owners, id) => {
    expect(await resolveCredential(...world(mapped), 'up', 0, storedFor(...owners))).toMatchObject({ id })
  })
})
