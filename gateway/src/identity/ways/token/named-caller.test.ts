/** Whom claims name, as the products that people use write them. */
import { configSchema } from '@turnward/contract/config'
import { describe, expect, test } from 'vitest'
import { compileSnapshot } from '../../../config/compile.ts'
import type { Issuer } from '../../../core/issuer.ts'
import type { JsonObject } from '../../../core/json.ts'
import { isOfApplication } from './checking-claims.ts'
import { namedCaller } from './named-caller.ts'

function issuerOf(parts: object): Issuer {
  const config = { identity: { issuers: { acme: { issuer: 'https://idp.acme.example', audiences: ['turnward'], ...parts } } } }
  const issuer = compileSnapshot(configSchema.parse(config), { files: [], dataDir: '/tmp' }).issuers.get('acme')
  if (issuer === undefined) throw new Error('no issuer')
  return issuer
}
const named = (claims: JsonObject, parts: object = {}) => namedCaller({ sub: 's', ...claims }, issuerOf(parts))
const groupsOf = (claims: JsonObject, parts: object = {}) => named(claims, parts).person.groups
const refusedWith = (code: string) => expect.objectContaining({ code }) as Error

describe('tokens of', () => {
  test('Okta name the login, the client and the groups', () => {
    const claims = { uid: '00u1', sub: 'alice@acme.example', cid: '0oa1', groups: ['Everyone', 'support'], scp: ['openid'] }
    expect(named(claims, { preset: 'okta', issuer: 'https://acme.okta.com/oauth2/default' })).toMatchObject({
      person: {
        user: 'alice@acme.example',
        subject: '00u1',
        emails: ['alice@acme.example'],
        groups: ['Everyone', 'support'],
        kind: 'human',
      },
      consumer: '0oa1',
    })
  })

  const entra = { preset: 'entra-id', issuer: 'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0' }
  test('Entra ID name the object, and its groups by ids that have names here', () => {
    const claims = {
      oid: 'o-1',
      sub: 'pairwise',
      azp: 'app-1',
      scp: 'access',
      email: 'a@acme.example',
      xms_edov: true,
      groups: ['g-1', 'g-2'],
      preferred_username: 'x@y.example',
    }
    expect(named(claims, { ...entra, group_names: { 'g-1': 'support' } })).toMatchObject({
      person: { user: 'o-1', subject: 'o-1', emails: ['a@acme.example'], groups: ['support', 'g-2'] },
      consumer: 'app-1',
    })
  })

  test('Entra ID without the groups of somebody with many are refused, unless groups are not asked of it', () => {
    const claims = { oid: 'o-1', scp: 'access', _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://graph' } } }
    expect(() => named(claims, entra)).toThrow(refusedWith('auth.too_many_groups'))
    expect(groupsOf({ ...claims, roles: ['support'] }, { ...entra, groups: 'roles' })).toEqual(['support'])
    expect(groupsOf(claims, { ...entra, groups: [] })).toEqual([])
  })

  test('Auth0 have groups in a claim with a name of its own', () => {
    const claims = { sub: 'auth0|1', azp: 'spa', 'https://acme.example/groups': ['staff'] }
    expect(named(claims, { preset: 'auth0', issuer: 'https://acme.auth0.com/', groups: 'https://acme.example/groups' })).toMatchObject({
      person: { user: 'auth0|1', groups: ['staff'] },
      consumer: 'spa',
    })
  })

  test('Keycloak have groups and roles of the realm', () => {
    const claims = { azp: 'cli', groups: ['staff'], realm_access: { roles: ['support', 'staff'] }, preferred_username: 'alice' }
    expect(groupsOf(claims, { preset: 'keycloak', issuer: 'https://sso.acme.example/realms/acme' })).toEqual(['staff', 'support'])
  })

  test('Google name a verified address and the domain', () => {
    const google = { preset: 'google', issuer: 'https://accounts.google.com', audiences: ['1.apps.googleusercontent.com'] }
    const claims = {
      sub: '10769',
      email: 'alice@acme.example',
      email_verified: true,
      hd: 'acme.example',
      azp: '1.apps.googleusercontent.com',
    }
    expect(named(claims, google)).toMatchObject({
      person: { user: 'alice@acme.example', subject: '10769', groups: [] },
      claims: { hd: 'acme.example' },
    })
    expect(() => named({ ...claims, email_verified: false }, google)).toThrow(refusedWith('auth.incomplete_token'))
  })
})

describe('an application', () => {
  test.each<[string, JsonObject]>([
    ['Entra ID', { idtyp: 'app', sub: 'o', oid: 'o', azp: 'a' }],
    ['Entra ID without that claim', { sub: 'o', oid: 'o', azp: 'a', roles: ['x'] }],
    ['Auth0', { gty: 'client-credentials', sub: 'a@clients', azp: 'a' }],
    ['Okta', { sub: '0oa', cid: '0oa' }],
    ['Keycloak', { sub: 'uuid', azp: 'ci', preferred_username: 'service-account-ci' }],
    ['RFC 9068', { sub: 'ci', client_id: 'ci' }],
  ])('is told from a person in tokens of %s', (_product, claims) => {
    expect(isOfApplication(claims)).toBe(true)
    const { person } = namedCaller(claims, issuerOf({ workloads: true, consumer: ['azp', 'client_id', 'cid'] }))
    expect(person.kind).toBe('workload')
    expect(person.user).toBe(claims['azp'] ?? claims['client_id'] ?? claims['cid'])
  })

  test('is not every token that names one', () => {
    expect(isOfApplication({ sub: 'alice', client_id: 'app', azp: 'app' })).toBe(false)
    expect(isOfApplication({ sub: 'pairwise', oid: 'o', scp: 'x', roles: ['y'] })).toBe(false)
  })
})

describe('groups', () => {
  test('are found in lists of objects, as one name, and by several paths', () => {
    expect(groupsOf({ memberships: [{ name: 'a' }, { name: 'b' }, { other: 1 }] }, { groups: 'memberships.name' })).toEqual(['a', 'b'])
    expect(groupsOf({ groups: 'staff' })).toEqual(['staff'])
    expect(groupsOf({ a: ['x'], b: { c: ['y', 'x'] } }, { groups: ['a', 'b.c'] })).toEqual(['x', 'y'])
  })

  test('that are no text are not groups', () => {
    expect(groupsOf({ groups: [1, null, { a: 1 }, '', 'staff'] })).toEqual(['staff'])
  })

  test('are refused when there are too many of them, or one has a name nobody could write', () => {
    expect(() => groupsOf({ groups: Array.from({ length: 1001 }, (_, index) => `g${index}`) })).toThrow(refusedWith('auth.too_many_groups'))
    expect(() => groupsOf({ groups: ['a\u0000b'] })).toThrow(refusedWith('auth.incomplete_token'))
  })
})

describe('addresses', () => {
  test('mean a person where nobody says that they are not verified', () => {
    expect(named({ email: 'a@x.example' }).person.emails).toEqual(['a@x.example'])
    expect(named({ email: 'a@x.example', email_verified: true }).person.emails).toEqual(['a@x.example'])
    for (const unverified of [{ email_verified: false }, { email_verified: 'false' }])
      expect(named({ email: 'a@x.example', ...unverified } as JsonObject).person.emails).toEqual([])
    const entra = { preset: 'entra-id', issuer: 'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0', user: 'sub' }
    for (const [owned, emails] of [
      [true, ['a@x.example']],
      ['1', ['a@x.example']],
      [false, []],
      [undefined, []],
    ] as const)
      expect(named({ email: 'a@x.example', ...(owned === undefined ? {} : { xms_edov: owned }) }, entra).person.emails).toEqual(emails)
    expect(named({ email: 'no address' }).person.emails).toEqual([])
  })
})

describe('actors', () => {
  test('are a chain, or one name, by any claim', () => {
    expect(named({ act: { sub: 'a', act: { sub: 'b' } } }).actors).toEqual(['a', 'b'])
    expect(named({ agent: 'bot' }, { actor: 'agent' }).actors).toEqual(['bot'])
    expect(named({ act: { client_id: 'bot' } }, { actor: 'act.client_id' }).actors).toEqual(['bot'])
    expect(named({}).actors).toEqual([])
  })

  test('that cannot be read are not passed over', () => {
    for (const act of [{}, { sub: 1 }, 3, { sub: 'a', act: 'b' }, { sub: 'a', act: {} }])
      expect(() => named({ act } as JsonObject), JSON.stringify(act)).toThrow(refusedWith('auth.invalid_token'))
  })
})

describe('claims for conditions', () => {
  test('are those that are listed, as far as there is room', () => {
    expect(
      named({ department: 'hr', address: { country: 'NO' }, x: 1 }, { claims: ['department', 'address.country', 'nothing'] }).claims,
    ).toEqual({
      department: 'hr',
      'address.country': 'NO',
    })
    expect(named({ big: 'x'.repeat(5000), small: 1 }, { claims: ['small', 'big'] }).claims).toEqual({ small: 1 })
  })
})

describe('a mapping', () => {
  test('goes before the claims', () => {
    const mapping = {
      user: 'claims.emails[0]',
      groups: 'claims.roles.filter(r, r != "x")',
      consumer: 'claims.app.id',
      actors: '[claims.agent]',
    }
    const claims = { emails: ['a@x.example'], roles: ['x', 'y'], app: { id: 'app' }, agent: 'bot', groups: ['ignored'] }
    expect(named(claims, { mapping })).toMatchObject({ person: { user: 'a@x.example', groups: ['y'] }, consumer: 'app', actors: ['bot'] })
  })

  test('that gives no text names nobody', () => {
    for (const user of ['1', '["a", "b"]', '""', 'claims.missing', '{"a": 1}'])
      expect(() => named({}, { mapping: { user } }), user).toThrow(refusedWith('auth.incomplete_token'))
  })
})
