/** Tokens of issuers as callers show them: who is let in, in which words the others are refused, and what keys and time do to that. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Snapshot } from '../../../config/snapshot.ts'
import type { TurnwardError } from '../../../core/error.ts'
import { silentLogger } from '../../../core/logger.ts'
import { principal, testClock, type TestClock } from '../../identity-parts.fixture.ts'
import type { NamedPerson, People } from '../../people/people.ts'
import type { Identity, Way } from '../way.ts'
import { newSigningKey, startIssuer, type TestIssuer } from './issuer.fixture.ts'
import { Issuers } from './issuers.ts'
import { createTokenWay } from './token-way.ts'

let clock: TestClock
let issuer: TestIssuer
let issuers: Issuers
let way: Way
let named: NamedPerson[]
let revoked: Map<string, number>
let events: string[]

/** Everybody is known, by what they are called. */
const people: People = {
  principalOf: (person) => (named.push(person), principal(person.user, { groups: person.groups })),
  principal: (id) => principal(id),
  roles: async () => [],
}

beforeEach(async () => {
  clock = testClock()
  issuer = await startIssuer(clock)
  named = []
  revoked = new Map()
  events = []
  issuers = new Issuers({ clock, logger: silentLogger, count: (name, event) => void events.push(`${name} ${event}`) })
  way = createTokenWay({ issuers, people, clock, revocations: { revokedAt: (kind, id) => revoked.get(`${kind} ${id}`) } })
})
afterEach(() => issuer[Symbol.asyncDispose]())

const show = async (token: string, snapshot: Snapshot, scheme = 'Bearer'): Promise<Identity | undefined> =>
  way.find({ headers: { authorization: `${scheme} ${token}` } }, snapshot)

const refusedAs = (code: string, why = '') =>
  expect.objectContaining({ code, message: expect.stringContaining(why) as string }) as TurnwardError

describe('a token of an issuer', () => {
  test('names its person, application and actors, and says how long it is good', async () => {
    const token = await issuer.token({
      email: 'alice@acme.example',
      groups: ['staff'],
      client_id: 'app',
      act: { sub: 'agent', act: { sub: 'tool' } },
    })
    const identity = await show(token, issuer.snapshot())
    expect(identity).toMatchObject({
      way: 'token',
      principal: { id: 'alice', groups: ['staff'] },
      issuer: 'acme',
      consumer: 'app',
      actors: ['agent', 'tool'],
      expires: clock.now() + 600_000,
      scopes: null,
    })
    expect(identity?.subject?.revealTo('acme')).toBe(token)
    expect(JSON.stringify(identity)).not.toContain(token)
    expect(named).toEqual([
      {
        issuer: 'acme',
        subject: 'alice',
        user: 'alice',
        emails: ['alice@acme.example'],
        groups: ['staff'],
        kind: 'human',
        provision: 'known',
      },
    ])
  })

  test('is verified once, however many calls show it, and gives the same identity', async () => {
    const [snapshot, token] = [issuer.snapshot(), await issuer.token()]
    const [first, ...others] = await Promise.all(Array.from({ length: 20 }, () => show(token, snapshot)))
    expect(issuer.asked()).toBe(1)
    for (const other of others) expect(other?.id).toBe(first?.id)
  })

  test('that shares all but its end with another is not taken for it', async () => {
    const snapshot = issuer.snapshot()
    const token = await issuer.token()
    await show(token, snapshot)
    const [head, body, signature = ''] = token.split('.')
    const other = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
    await expect(show(`${head}.${body}.${other}`, snapshot)).rejects.toEqual(refusedAs('auth.invalid_token', 'its signature'))
    const bob = await issuer.token({ sub: 'bob' })
    expect((await show(bob, snapshot))?.principal.id).toBe('bob')
  })

  test('is not looked at where no issuer is configured, nor is a key', async () => {
    expect(await show('tw_key', issuer.snapshot())).toBeUndefined()
    expect(await way.find({ headers: {} }, issuer.snapshot())).toBeUndefined()
  })

  test('that we gave out ourselves is left to another way', async () => {
    const own = createTokenWay({
      issuers,
      people,
      clock,
      revocations: { revokedAt: () => undefined },
      ownIssuer: () => 'https://us.example',
    })
    const found = async (claims: object) => {
      const token = await issuer.token(claims as Record<string, unknown>)
      return own.find({ headers: { authorization: `DPoP ${token}` } }, issuer.snapshot())
    }
    expect(await found({ iss: 'https://us.example' })).toBeUndefined()
    await expect(found({ iss: 'https://us.example/' })).rejects.toEqual(refusedAs('auth.invalid_token'))
  })

  test('is restored for later without the token', async () => {
    const snapshot = issuer.snapshot()
    const identity = await show(await issuer.token({ client_id: 'app', act: { sub: 'agent' } }), snapshot)
    const later = await way.findLater?.(identity?.later ?? '', snapshot)
    expect(later).toMatchObject({ principal: { id: 'alice' }, issuer: 'acme', consumer: 'app', actors: ['agent'] })
    expect(await way.findLater?.('key_1', snapshot)).toBeUndefined()
  })
})

describe('refused, each with its own words, is', () => {
  const seconds = () => Math.floor(clock.now() / 1000)
  test.each<[string, () => object, object, object, string, string]>([
    ['one that has expired', () => ({ exp: seconds() - 31 }), {}, {}, 'auth.expired_token', ''],
    ['one that is not valid yet', () => ({ nbf: seconds() + 31 }), {}, {}, 'auth.token_not_yet_valid', '`nbf`'],
    ['one that was given out in the future', () => ({ iat: seconds() + 31 }), {}, {}, 'auth.token_not_yet_valid', '`iat`'],
    ['one without an end', () => ({ exp: undefined }), {}, {}, 'auth.invalid_token', 'no `exp`'],
    ['one that is good for too long', () => ({ exp: seconds() + 90_000 }), {}, {}, 'auth.invalid_token', 'max_lifetime_seconds'],
    ['one with a time that is none', () => ({ exp: `${seconds() + 9}` }), {}, {}, 'auth.invalid_token', '`exp`'],
    ['one for nobody in particular', () => ({ aud: undefined }), {}, {}, 'auth.wrong_audience', 'no `aud`'],
    ['one for somebody else', () => ({ aud: 'other' }), {}, {}, 'auth.wrong_audience', 'none of the audiences'],
    ['one for somebody of nearly the same name', () => ({ aud: ['turnward/', 'Turnward'] }), {}, {}, 'auth.wrong_audience', ''],
    ['one of another issuer', () => ({ iss: 'https://evil.example' }), {}, {}, 'auth.invalid_token', 'none of those that are configured'],
    ['one without an issuer', () => ({ iss: undefined }), {}, {}, 'auth.invalid_token', 'none of those that are configured'],
    ['an ID token', () => ({ nonce: 'n' }), { typ: 'JWT' }, {}, 'auth.wrong_kind_of_token', 'an ID token'],
    [
      'an ID token where its type is taken',
      () => ({ at_hash: 'h' }),
      { typ: 'JWT' },
      { typ: ['JWT'] },
      'auth.wrong_kind_of_token',
      'an ID token',
    ],
    ['a refresh token', () => ({ typ: 'Refresh' }), { typ: 'JWT' }, { typ: ['JWT'] }, 'auth.wrong_kind_of_token', 'a refresh token'],
    ['a logout token', () => ({ events: {} }), { typ: 'logout+jwt' }, {}, 'auth.wrong_kind_of_token', 'a logout token'],
    [
      'an access token where ID tokens are sent',
      () => ({}),
      {},
      { tokens: 'id', typ: ['at+jwt'] },
      'auth.wrong_kind_of_token',
      'an access token',
    ],
    ['one of another type', () => ({}), { typ: 'JWT' }, {}, 'auth.invalid_token', '`typ` is `jwt`'],
    ['one of an application', () => ({ sub: 'ci', client_id: 'ci' }), {}, {}, 'auth.person_needed', 'application'],
    ['one that names nobody', () => ({ sub: undefined }), {}, {}, 'auth.incomplete_token', '`sub`'],
    [
      'one whose address is not verified',
      () => ({ email: 'a@x.example', email_verified: false }),
      {},
      { user: 'email' },
      'auth.incomplete_token',
      'verified',
    ],
    ['one whose groups are elsewhere', () => ({ _claim_names: { groups: 'src1' } }), {}, {}, 'auth.too_many_groups', 'left them out'],
    ['one that says it has groups', () => ({ hasgroups: true }), {}, {}, 'auth.too_many_groups', 'hasgroups'],
    [
      'one in which too many act',
      () => ({ act: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].reduce<object>((act, sub) => ({ sub, act }), { sub: 'x' }) }),
      {},
      {},
      'auth.invalid_token',
      'more than 8',
    ],
    ['one that is bound to a key', () => ({ cnf: { jkt: 'x' } }), {}, {}, 'auth.invalid_token', '`cnf`'],
    ['one whose mapping fails', () => ({}), {}, { mapping: { user: 'claims.nobody' } }, 'auth.incomplete_token', 'mapping.user'],
  ])('%s', async (_what, claims, header, parts, code, why) => {
    const token = await issuer.token(claims() as Record<string, unknown>, header as Record<string, unknown>)
    const error = await show(token, issuer.snapshot(parts)).catch((thrown: unknown) => thrown)
    expect(error).toEqual(refusedAs(code, why))
    expect(JSON.stringify(error) + String(error)).not.toContain(token.slice(20, 60))
  })

  test('one that is shown with a proof nobody looks at', async () => {
    await expect(show(await issuer.token(), issuer.snapshot(), 'DPoP')).rejects.toEqual(refusedAs('auth.invalid_token', 'DPoP'))
  })

  test('one that was revoked, and one that a person got before being shut out', async () => {
    const snapshot = issuer.snapshot()
    const [token, other] = [await issuer.token(), await issuer.token({ jti: 'second' })]
    const identity = await show(token, snapshot)
    revoked.set(`token ${identity?.id}`, clock.now())
    await expect(show(token, snapshot)).rejects.toEqual(refusedAs('auth.revoked_key'))
    await show(other, snapshot)
    revoked.set('person alice', clock.now() + 1000)
    await expect(show(other, snapshot)).rejects.toEqual(refusedAs('auth.revoked_key', 'shut out'))
    clock.advance(5000)
    await show(await issuer.token({ jti: 'third' }), snapshot)
  })
})

describe('what is remembered of a token', () => {
  test('is good until the token ends, and a little longer for clocks that differ', async () => {
    const [snapshot, token] = [issuer.snapshot(), await issuer.token()]
    await show(token, snapshot)
    clock.advance(629_999)
    await show(token, snapshot)
    clock.advance(1)
    await expect(show(token, snapshot)).rejects.toEqual(refusedAs('auth.expired_token'))
  })

  test('counts for the configuration it was verified with, and for no other', async () => {
    const token = await issuer.token()
    await show(token, issuer.snapshot())
    await expect(show(token, issuer.snapshot({ audiences: ['other'] }))).rejects.toEqual(refusedAs('auth.wrong_audience'))
    await expect(show(token, issuer.snapshot({ algorithms: ['RS256'] }))).rejects.toEqual(refusedAs('auth.invalid_token', 'algorithm'))
  })

  test('is what keys are not: those stay when a new configuration asks the same issuer the same', async () => {
    issuers.follow(issuer.snapshot())
    await expect.poll(() => issuer.asked()).toBe(1)
    const next = issuer.snapshot({ audiences: ['turnward', 'other'], clock_skew_seconds: 10 })
    issuers.follow(next)
    expect((await show(await issuer.token(), next))?.principal.id).toBe('alice')
    expect(issuer.asked()).toBe(1)
    issuers.follow(issuer.snapshot({ jwks_stale_ms: 1 }))
    await expect.poll(() => issuer.asked()).toBe(2)
  })

  test('is forgotten when the issuer takes its key away', async () => {
    const [snapshot, token] = [issuer.snapshot(), await issuer.token()]
    await show(token, snapshot)
    issuer.keys = [await newSigningKey('second')]
    // Whoever comes with a new key makes the old one known to be gone.
    await show(await issuer.token(), snapshot)
    await expect(show(token, snapshot)).rejects.toEqual(refusedAs('auth.invalid_token', 'none of the keys'))
  })
})

describe('when an issuer rotates its keys,', () => {
  test('calls with the new key wait for one question, and those with the old one go on meanwhile', async () => {
    const snapshot = issuer.snapshot()
    const old = await issuer.token()
    await show(old, snapshot)
    issuer.keys = [await newSigningKey('second'), ...issuer.keys]
    const gate = Promise.withResolvers<void>()
    issuer.hold = gate.promise
    const fresh = await Promise.all(Array.from({ length: 50 }, (_, index) => issuer.token({ jti: `${index}` })))
    const waiting = Promise.all(fresh.map((token) => show(token, snapshot)))
    for (let call = 0; call < 50; call += 1) expect((await show(old, snapshot))?.principal.id).toBe('alice')
    gate.resolve()
    expect((await waiting).map((identity) => identity?.principal.id)).toEqual(fresh.map(() => 'alice'))
    expect(issuer.asked()).toBe(2)
  })

  test('a key that is not there is asked for at most every 30 seconds', async () => {
    const snapshot = issuer.snapshot()
    await show(await issuer.token(), snapshot)
    for (let call = 0; call < 5; call += 1)
      await expect(show(await issuer.token({}, { kid: `made-up-${call}` }), snapshot)).rejects.toEqual(
        refusedAs('auth.invalid_token', 'none of the keys'),
      )
    expect(issuer.asked()).toBe(2)
    clock.advance(30_000)
    for (let call = 0; call < 5; call += 1) await show(await issuer.token({}, { kid: `made-up-${call}` }), snapshot).catch(() => {})
    expect(issuer.asked()).toBe(3)
  })

  test('keys are asked for again by themselves after ten minutes', async () => {
    const snapshot = issuer.snapshot()
    const token = await issuer.token({ exp: Math.floor(clock.now() / 1000) + 3600 })
    await show(token, snapshot)
    issuer.keys = [await newSigningKey('second')]
    clock.advance(600_000)
    await show(token, snapshot)
    await expect.poll(() => show(token, snapshot).catch((error: TurnwardError) => error.code)).toBe('auth.invalid_token')
    // Once by itself, and once because the key of the token is gone.
    expect(issuer.asked()).toBe(3)
  })
})

describe('while an issuer is away,', () => {
  test('nobody is let in whose keys were never known, and it is asked again after five seconds', async () => {
    const snapshot = issuer.snapshot()
    await issuer.goAway()
    const token = await issuer.token()
    await expect(show(token, snapshot)).rejects.toEqual(refusedAs('auth.issuer_unavailable', 'ECONNREFUSED'))
    expect(issuers.statuses(snapshot)).toMatchObject([{ issuer: 'acme', state: 'unreachable' }])
    await issuer.comeBack()
    await expect(show(token, snapshot)).rejects.toEqual(refusedAs('auth.issuer_unavailable'))
    clock.advance(5000)
    expect((await show(token, snapshot))?.principal.id).toBe('alice')
    expect(issuers.statuses(snapshot)).toEqual([{ issuer: 'acme', state: 'ready' }])
    expect(events).toEqual(['acme failed', 'acme fetched'])
  })

  test('its last keys are used to the stated limit and not beyond', async () => {
    const snapshot = issuer.snapshot({ jwks_stale_ms: 1_800_000, max_lifetime_seconds: 86_400 })
    const day = Math.floor(clock.now() / 1000) + 86_000
    const warm = await issuer.token({ exp: day })
    await show(warm, snapshot)
    await issuer.goAway()
    clock.advance(600_000 + 1_800_000 - 1)
    expect((await show(warm, snapshot))?.principal.id).toBe('alice')
    expect((await show(await issuer.token({ exp: day, sub: 'bob' }), snapshot))?.principal.id).toBe('bob')
    await expect.poll(() => issuers.statuses(snapshot)[0]?.state).toBe('stale')
    clock.advance(1)
    await expect(show(warm, snapshot)).rejects.toEqual(refusedAs('auth.issuer_unavailable'))
    await issuer.comeBack()
    clock.advance(5000)
    expect((await show(warm, snapshot))?.principal.id).toBe('alice')
  })

  test.each([
    ['an error', 500, 'x', 'HTTP 500'],
    ['no JSON', 200, '<html>', 'is not JSON'],
    ['no key set', 200, '{}', 'not a key set'],
    ['no key', 200, '{"keys":[]}', 'no key'],
    ['more than is read', 200, `"${'x'.repeat(300_000)}"`, 'longer than'],
    ['a redirect', 302, '', 'HTTP 302'],
  ])('or gives %s for its keys, the last ones stay', async (_what, status, body, why) => {
    const [snapshot, token] = [issuer.snapshot(), await issuer.token()]
    await show(token, snapshot)
    issuer.keySet = { status, body }
    await show(await issuer.token({}, { kid: 'other' }), snapshot).catch(() => {})
    expect(issuers.statuses(snapshot)).toMatchObject([{ state: 'stale', detail: expect.stringContaining(why) as string }])
    expect((await show(token, snapshot))?.principal.id).toBe('alice')
  })

  test('metadata of another issuer, or that leads elsewhere over http, is not believed', async () => {
    const token = await issuer.token()
    issuer.metadata = { issuer: 'https://evil.example' }
    await expect(show(token, issuer.snapshot())).rejects.toEqual(refusedAs('auth.issuer_unavailable', 'another issuer'))
    clock.advance(5000)
    issuer.metadata = { jwks_uri: 'http://169.254.169.254/keys' }
    await expect(show(token, issuer.snapshot())).rejects.toEqual(refusedAs('auth.issuer_unavailable', 'https only'))
  })
})
