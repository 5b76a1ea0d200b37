import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { configSchema } from '@turnward/contract/config'
import type { Snapshot } from '../../../config/snapshot.ts'
import { silentLogger } from '../../../core/logger.ts'
import { principal, snapshotWith, testClock } from '../../identity-parts.fixture.ts'
import { peopleOfTheFile } from '../../people/people.fixture.ts'
import type { Hop, Identity } from '../way.ts'
import { startIssuer, type TestIssuer } from '../token/issuer.fixture.ts'
import { Issuers } from '../token/issuers.ts'
import { createEdgeWay } from './edge-way.ts'

const secret = { header: 'x-edge-secret', value: 'a-secret-of-the-edge' }
const proof = { [secret.header]: secret.value }
const inside: Hop = { address: '10.1.2.3' }
const names = ['alice', 'bob', 'guest']

function snapshotOf(edges: object): Snapshot {
  const { identity } = configSchema.parse({ identity: { edges } })
  return snapshotWith({ identity, principals: new Map(names.map((name) => [name, principal(name)])) })
}

const kong = { from: ['10.0.0.0/8', '2001:db8::/32', '192.0.2.7'], secret, headers: 'kong' }
let way: ReturnType<typeof createEdgeWay>
beforeEach(() => {
  way = createEdgeWay({ people: peopleOfTheFile, clock: testClock(), logger: silentLogger })
})

async function found(edge: object, headers: Record<string, string>, hop: Hop | undefined = inside): Promise<Identity | undefined> {
  return way.find({ headers: { ...proof, ...headers }, hop }, snapshotOf({ front: edge }))
}

describe('a connection proves to be an edge', () => {
  const asAlice = { 'x-consumer-username': 'alice' }

  test.each(['10.1.2.3', '::ffff:10.1.2.3', '::FFFF:10.255.255.255', '2001:db8::1', '192.0.2.7'])(
    'from %s with its secret',
    async (address) => expect((await found(kong, asAlice, { address }))?.principal.id).toBe('alice'),
  )

  test.each([
    '11.0.0.1',
    '::ffff:11.0.0.1',
    '::ffff:0:10.1.2.3',
    '64:ff9b::a01:203',
    '2001:db9::1',
    '192.0.2.8',
    '',
    'localhost',
    '::10.1.2.3',
  ])('not from %j', async (address) => expect(await found(kong, asAlice, { address })).toBeUndefined())

  test.each([
    ['none'],
    [''],
    ['a-secret-of-the-edgE'],
    ['a-secret-of-the-edge '],
    ['a-secret-of-the-edge, a-secret-of-the-edge'],
    ['a-secret'],
  ])('not with the secret %j', async (value) => {
    const headers = value === 'none' ? { [secret.header]: undefined } : { [secret.header]: value }
    expect(await way.find({ headers: { ...asAlice, ...headers }, hop: inside }, snapshotOf({ front: kong }))).toBeUndefined()
  })

  test('not without a connection', async () => {
    expect(await way.find({ headers: { ...proof, ...asAlice } }, snapshotOf({ front: kong }))).toBeUndefined()
  })

  test('by its certificate, whose names decide', async () => {
    const edge = { mtls: { san: ['edge.acme.example'] }, headers: 'kong' }
    const shown = (name: string): Hop => ({ address: '203.0.113.9', certificate: { names: [name], fingerprint: 'f', expires: Infinity } })
    expect((await found(edge, asAlice, shown('DNS:edge.acme.example')))?.principal.id).toBe('alice')
    expect(await found(edge, asAlice, shown('DNS:other.acme.example'))).toBeUndefined()
    expect(await found(edge, asAlice, { address: '203.0.113.9' })).toBeUndefined()
  })

  test('of two edges at once is refused', async () => {
    const edges = { one: kong, two: { ...kong, headers: 'apisix' } }
    expect(() => way.find({ headers: { ...proof, ...asAlice }, hop: inside }, snapshotOf(edges))).toThrow(
      expect.objectContaining({ code: 'request.invalid', subject: 'one, two' }),
    )
  })
})

describe('Kong', () => {
  test('names the consumer by user name, else by the id it has elsewhere, else the name of the credential', async () => {
    const ids = { 'x-consumer-id': '0b9a', 'x-credential-identifier': 'cred-1' }
    expect(await found(kong, { ...ids, 'x-consumer-username': 'alice', 'x-consumer-custom-id': 'bob' })).toMatchObject({
      principal: { id: 'alice' },
      id: 'edge:front/cred-1',
      issuer: 'edge:front',
    })
    expect((await found(kong, { ...ids, 'x-consumer-custom-id': 'bob' }))?.principal.id).toBe('bob')
    expect((await found(kong, { 'x-credential-identifier': 'bob' }))?.principal.id).toBe('bob')
    expect(await found(kong, {})).toBeUndefined()
  })

  test('is believed about groups only where that is said, because a client could have sent them', async () => {
    const named: (readonly string[])[] = []
    way = createEdgeWay({
      people: {
        ...peopleOfTheFile,
        principalOf: (person, snapshot) => (named.push(person.groups), peopleOfTheFile.principalOf(person, snapshot)),
      },
      clock: testClock(),
      logger: silentLogger,
    })
    const headers = { 'x-consumer-username': 'alice', 'x-consumer-groups': 'staff, support', 'x-authenticated-groups': 'admins' }
    await found(kong, headers)
    await found({ ...kong, reads: ['consumer', 'groups'] }, headers)
    expect(named).toEqual([[], ['staff', 'support', 'admins']])
  })

  test('that says nobody is known is refused, unless it may use models as somebody, and then without tools', async () => {
    const headers = { 'x-anonymous-consumer': 'true', 'x-consumer-username': 'alice' }
    await expect(found(kong, headers)).rejects.toThrow(expect.objectContaining({ code: 'auth.anonymous', status: 401 }))
    const identity = await found({ ...kong, anonymous: { models: 'guest' } }, headers)
    expect(identity).toMatchObject({
      principal: { id: 'guest' },
      scopes: ['models'],
      within: { gateways: [], tools: [] },
      isAnonymous: true,
    })
    await expect(found(kong, { ...headers, 'x-anonymous-consumer': 'maybe' })).rejects.toThrow(/neither/)
  })
})

test('APISIX names the consumer, and other headers of it are not read', async () => {
  const apisix = { ...kong, headers: 'apisix' }
  const headers = {
    'x-consumer-username': 'alice',
    'x-credential-identifier': 'cred',
    'x-userinfo': 'eyJzdWIiOiJib2IifQ==',
    'x-consumer-groups': 'a;b',
  }
  expect(await found(apisix, headers)).toMatchObject({ principal: { id: 'alice' }, id: 'edge:front/cred' })
  expect(await found(apisix, { 'x-credential-identifier': 'bob' })).toBeUndefined()
})

test('headers of any name are those that are given', async () => {
  const edge = { ...kong, headers: { user: 'X-User', consumer: 'x-app', groups: 'x-groups', email: 'x-email', credential: 'x-cred' } }
  const headers = { 'x-user': 'alice', 'x-app': 'portal', 'x-groups': 'a,b', 'x-email': 'alice@acme.example', 'x-cred': 'c1' }
  expect(await found(edge, headers)).toMatchObject({ principal: { id: 'alice' }, consumer: 'portal', id: 'edge:front/c1' })
  await expect(found(edge, { ...headers, 'x-email': 'nowhere' })).rejects.toThrow(/no address/)
})

test('a value that could be read in two ways is refused, also in a header that does not decide', async () => {
  await expect(found(kong, { 'x-consumer-username': 'alice, bob' })).rejects.toThrow(/twice/)
  await expect(found(kong, { 'x-consumer-username': 'alice', 'x-consumer-custom-id': 'a, b' })).rejects.toThrow(/twice/)
})

test('the same word about the same person is the same identity', async () => {
  const snapshot = snapshotOf({ front: kong })
  const presented = (user: string) => ({ headers: { ...proof, 'x-consumer-username': user }, hop: inside })
  const one = await way.find(presented('alice'), snapshot)
  expect(await way.find(presented('alice'), snapshot)).toBe(one)
  expect(await way.find(presented('bob'), snapshot)).not.toBe(one)
})

test('headers that were ignored are told to whoever is nobody', () => {
  const snapshot = snapshotOf({ front: kong })
  const hop = { address: '203.0.113.9' }
  expect(way.whyNothing?.({ headers: { 'x-consumer-username': 'alice' }, hop }, snapshot)).toContain('does not prove')
  expect(way.whyNothing?.({ headers: {}, hop }, snapshot)).toBeUndefined()
})

test('work for later is for the same person, as long as the edge is configured', async () => {
  const { later = '' } = (await found(kong, { 'x-consumer-username': 'alice' })) ?? {}
  expect((await way.findLater?.(later, snapshotOf({ front: kong })))?.principal.id).toBe('alice')
  expect(await way.findLater?.(later, snapshotOf({ other: kong }))).toBeUndefined()
  expect(await way.findLater?.('key_1', snapshotOf({ front: kong }))).toBeUndefined()
})

describe('claims that an edge passes on', () => {
  const clock = testClock(Date.now())
  let issuer: TestIssuer
  let snapshot: Snapshot
  let other: ReturnType<typeof createEdgeWay>
  const edge = { ...kong, headers: 'apisix', reads: ['consumer', 'token', 'user_info'], issuer: 'acme', audiences: ['apisix-client'] }
  const packed = (claims: object): string => Buffer.from(JSON.stringify(claims)).toString('base64')

  beforeAll(async () => {
    issuer = await startIssuer(clock)
    snapshot = snapshotFor(edge)
    const issuers = new Issuers({ clock, logger: silentLogger, count: () => {} })
    other = createEdgeWay({ people: peopleOfTheFile, clock, logger: silentLogger, issuers })
  })
  afterAll(() => issuer[Symbol.asyncDispose]())

  const snapshotFor = (front: object): Snapshot => issuer.snapshot({}, { principals: { alice: {}, bob: {} }, ...identityWith(front) })
  const identityWith = (front: object): object => ({
    identity: {
      issuers: { acme: { issuer: issuer.address, allow_http: true, audiences: ['turnward'], algorithms: ['ES256'], groups: 'groups' } },
      edges: { front },
    },
  })
  const idToken = (claims: object = {}, header: object = {}): Promise<string> =>
    issuer.token({ aud: 'apisix-client', nonce: 'n', ...claims }, { typ: 'JWT', ...header })
  const asked = async (headers: Record<string, string>, of = snapshot): Promise<Identity | undefined> =>
    other.find({ headers: { ...proof, ...headers }, hop: inside }, of)

  test('a signed token names the person, and the consumer of the edge is the application', async () => {
    const headers = { 'x-raw-id-token': await idToken(), 'x-consumer-username': 'portal' }
    const identity = await asked(headers)
    expect(identity).toMatchObject({ principal: { id: 'alice' }, consumer: 'portal', issuer: 'acme' })
    expect(identity?.expires).toBeGreaterThan(clock.now())
    expect(await asked(headers)).toBe(identity)
  })

  test('what is not signed counts where no signed token is there', async () => {
    expect((await asked({ 'x-userinfo': packed({ sub: 'bob' }) }))?.principal.id).toBe('bob')
  })

  test('the signed token counts, and others must be of the same person', async () => {
    const token = await idToken()
    expect((await asked({ 'x-raw-id-token': token, 'x-userinfo': packed({ sub: 'alice', groups: ['admins'] }) }))?.principal.id).toBe(
      'alice',
    )
    for (const name of ['x-userinfo', 'x-id-token'])
      await expect(asked({ 'x-raw-id-token': token, [name]: packed({ sub: 'bob' }) })).rejects.toThrow(
        expect.objectContaining({ code: 'auth.two_identities', subject: name }),
      )
    await expect(asked({ 'x-userinfo': packed({ sub: 'alice' }), 'x-id-token': packed({ sub: 'bob' }) })).rejects.toThrow(/another `sub`/)
    await expect(asked({ 'x-userinfo': packed({ sub: 'alice', iss: 'https://evil.example' }) })).rejects.toThrow(/another `iss`/)
  })

  test.each([
    ['for another client', () => idToken({ aud: 'turnward' }), 'auth.wrong_audience'],
    ['of another issuer', () => idToken({ iss: 'https://evil.example' }), 'auth.invalid_token'],
    ['that has expired', () => idToken({ iat: 1, exp: 2 }), 'auth.expired_token'],
    ['that is an access token', () => idToken({}, { typ: 'at+jwt' }), 'auth.wrong_kind_of_token'],
    ['whose signature is another', async () => `${(await idToken()).slice(0, -8)}AAAAAAAA`, 'auth.invalid_token'],
    ['that nobody signed', async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`, 'auth.invalid_token'],
  ])('a token %s is refused', async (_what, token, code) => {
    await expect(asked({ 'x-raw-id-token': await token() })).rejects.toThrow(expect.objectContaining({ code }))
  })

  test('what cannot be read is refused', async () => {
    await expect(asked({ 'x-userinfo': 'e30=, e30=' })).rejects.toThrow(/twice/)
    await expect(asked({ 'x-userinfo': '{"sub":"alice"}' })).rejects.toThrow(/Base64/)
    await expect(asked({ 'x-userinfo': packed(['alice']) })).rejects.toThrow(/Base64/)
    await expect(asked({ 'x-userinfo': packed({}) })).rejects.toThrow(/another `sub`/)
  })

  test('a header that was named for the user must say the same as the token', async () => {
    const named = snapshotFor({
      ...kong,
      issuer: 'acme',
      audiences: ['apisix-client'],
      headers: { user: 'x-user', signed_token: 'x-token' },
    })
    const token = await idToken()
    expect((await asked({ 'x-user': 'alice', 'x-token': token }, named))?.principal.id).toBe('alice')
    await expect(asked({ 'x-user': 'bob', 'x-token': token }, named)).rejects.toThrow(
      expect.objectContaining({ code: 'auth.two_identities' }),
    )
  })

  test('from anybody else they are text that nobody reads', async () => {
    const headers = { 'x-raw-id-token': await idToken(), 'x-userinfo': packed({ sub: 'alice' }) }
    expect(await other.find({ headers, hop: inside }, snapshot)).toBeUndefined()
  })
})
