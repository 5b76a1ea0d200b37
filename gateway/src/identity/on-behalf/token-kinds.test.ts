import { decodeJwt } from 'jose'
import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { onBehalfOfToken } from './entra-obo.ts'
import { assertedToken } from './id-jag.ts'
import { startTokenService, type TestTokenService } from './sts.fixture.ts'
import { speaksForApplication } from './subject.ts'
import { exchangeToken, type ExchangeWish } from './token-exchange.ts'
import { TokenRefused } from './token-request.ts'

let service: TestTokenService
let alices: string

beforeAll(async () => {
  service = await startTokenService()
  alices = await service.token({ sub: 'alice', aud: 'turnward', act: { sub: 'planner' } })
})
afterAll(() => service[Symbol.asyncDispose]())
beforeEach(() => {
  service.answersWith = undefined
})

const asking = { now: 1_000_000, signal: new AbortController().signal }
const forCrm: ExchangeWish = { audience: 'crm', scopes: ['read', 'write'], requested: 'access_token' }
const exchanged = (wish = forCrm, actor?: string) =>
  exchangeToken(service.endpoint, wish, { token: alices, type: 'access_token' }, asking, actor)
const refused = (reason: string, detail?: string) =>
  expect.objectContaining({ reason, ...(detail === undefined ? {} : { detail: expect.stringContaining(detail) as unknown }) }) as unknown

describe('token exchange (RFC 8693)', () => {
  test('gives a token for the audience, which says who acts for whom, whoever acted before', async () => {
    const issued = await exchanged()
    expect(decodeJwt(issued.token)).toMatchObject({
      sub: 'alice',
      aud: ['crm'],
      scope: 'read write',
      act: { sub: 'turnward', act: { sub: 'planner' } },
    })
    expect(issued.expires).toBe(1_600_000)
  })

  test('names an actor of its own where there is one', async () => {
    const actor = await service.token({ sub: 'the-gateway' })
    expect(decodeJwt((await exchanged(forCrm, actor)).token).act).toEqual({ sub: 'the-gateway', act: { sub: 'planner' } })
  })

  test('asks for a resource by its address', async () => {
    await exchanged({ ...forCrm, resource: 'https://crm.example/mcp', scopes: [] })
    const last = service.asked.at(-1)
    expect([last?.get('resource'), last?.has('scope')]).toEqual(['https://crm.example/mcp', false])
  })

  test('never takes the token that was shown for the one that was asked for', async () => {
    service.answersWith = (parameters) => ({
      status: 200,
      body: {
        access_token: parameters.get('subject_token'),
        token_type: 'Bearer',
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      },
    })
    await expect(exchanged()).rejects.toEqual(refused('unreadable', 'came back'))
  })

  test.each([
    ['a token for nobody to use', { token_type: 'N_A' }],
    ['an ID token', { token_type: 'Bearer', issued_token_type: 'urn:ietf:params:oauth:token-type:id_token' }],
    ['an assertion', { token_type: 'N_A', issued_token_type: 'urn:ietf:params:oauth:token-type:id-jag' }],
  ])('does not take %s for an access token', async (_what, body) => {
    service.answersWith = () => ({ status: 200, body: { access_token: 'other', ...body } })
    await expect(exchanged()).rejects.toEqual(refused('unreadable'))
  })

  test.each(['invalid_grant', 'invalid_target', 'invalid_scope', 'invalid_client', 'temporarily_unavailable'])(
    'tells `%s` apart',
    async (error) => {
      service.answersWith = () => ({ status: 400, body: { error } })
      await expect(exchanged()).rejects.toEqual(refused(error))
    },
  )

  test('quotes nothing that the issuer writes', async () => {
    service.answersWith = (parameters) => ({
      status: 400,
      body: { error: 'invalid_grant', error_description: `expired: ${parameters.get('subject_token') ?? ''}` },
    })
    const error: unknown = await exchanged().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TokenRefused)
    expect(JSON.stringify(error) + String(error) + String((error as Error).stack)).not.toContain(alices.slice(-40))
  })

  test.each([
    ['no JSON', { status: 200, body: [] }],
    ['an error without a name', { status: 400, body: {} }],
    ['no token', { status: 200, body: { token_type: 'Bearer' } }],
    ['a token of a megabyte', { status: 200, body: { access_token: 'x'.repeat(1_000_000), token_type: 'Bearer' } }],
  ])('reads no token in %s', async (_what, answer) => {
    service.answersWith = () => answer
    await expect(exchanged()).rejects.toBeInstanceOf(TokenRefused)
  })

  test('says when nobody answers', async () => {
    const nobody = { ...service.endpoint, server: { issuer: service.issuer, token_endpoint: 'http://127.0.0.1:1/token' } }
    await expect(exchangeToken(nobody, forCrm, { token: alices, type: 'access_token' }, asking)).rejects.toEqual(refused('unreachable'))
  })

  test('goes over plain HTTP only where that is allowed', async () => {
    await expect(
      exchangeToken({ ...service.endpoint, allowHttp: false }, forCrm, { token: alices, type: 'access_token' }, asking),
    ).rejects.toBeInstanceOf(TokenRefused)
  })

  test('is refused to a client that cannot prove itself', async () => {
    const wrong = { ...service.endpoint, authentication: oauth.ClientSecretBasic('wrong') }
    await expect(exchangeToken(wrong, forCrm, { token: alices, type: 'access_token' }, asking)).rejects.toEqual(refused('invalid_client'))
  })
})

describe('on-behalf-of (Microsoft Entra)', () => {
  test('shows the token of the person as the assertion', async () => {
    const issued = await onBehalfOfToken(service.endpoint, ['api://crm/.default'], alices, asking)
    expect(decodeJwt(issued.token)).toMatchObject({ sub: 'alice', scp: 'api://crm/.default' })
    expect(Object.fromEntries(service.asked.at(-1) ?? [])).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      requested_token_use: 'on_behalf_of',
      scope: 'api://crm/.default',
      assertion: alices,
    })
  })

  test('tells a person who must do something from one who may not, by Entra’s own number', async () => {
    service.answersWith = () => ({
      status: 400,
      body: {
        error: 'interaction_required',
        error_description: 'AADSTS50076: use MFA. Trace ID: 1',
        suberror: 'basic_action',
        claims: '{"access_token":{}}',
      },
    })
    await expect(onBehalfOfToken(service.endpoint, ['s'], alices, asking)).rejects.toEqual(
      expect.objectContaining({ reason: 'interaction_required', detail: 'AADSTS50076', hasClaims: true }),
    )
  })
})

describe('an identity assertion (ID-JAG)', () => {
  const wish = { audience: 'https://as.example', resource: 'https://mcp.example/mcp', scopes: ['read'] }
  const at = () => ({ issuer: service.endpoint, server: service.believer })

  test('is asked for with an ID token, for one authorization server, and gives the token there', async () => {
    const idToken = await service.token({ sub: 'alice', aud: 'turnward', nonce: 'n' }, 'JWT')
    const issued = await assertedToken(at(), wish, { token: idToken, type: 'id_token' }, asking)
    expect(decodeJwt(issued.token)).toMatchObject({ sub: 'alice', aud: 'https://mcp.example/mcp' })
    const [first, second] = service.asked.slice(-2)
    expect(Object.fromEntries(first ?? [])).toMatchObject({
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      requested_token_type: 'urn:ietf:params:oauth:token-type:id-jag',
      audience: 'https://as.example',
      resource: 'https://mcp.example/mcp',
      scope: 'read',
    })
    // What the person showed us is no business of the other server.
    expect([...(second ?? [])].map(([name]) => name).toSorted()).toEqual(['assertion', 'grant_type'])
    expect(second?.get('assertion')).not.toBe(idToken)
  })

  test('is nothing else that the issuer gives', async () => {
    service.answersWith = (parameters) =>
      parameters.get('grant_type')?.endsWith('token-exchange') === true
        ? {
            status: 200,
            body: { access_token: 'a', token_type: 'Bearer', issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' },
          }
        : undefined
    const before = service.asked.length
    await expect(assertedToken(at(), wish, { token: alices, type: 'id_token' }, asking)).rejects.toEqual(refused('unreadable'))
    expect(service.asked.length).toBe(before + 1)
  })
})

describe('a token speaks for an application', () => {
  test.each([
    ['Entra', { idtyp: 'app', oid: 'o', azp: 'c' }, true],
    ['Auth0', { sub: 'c1@clients', azp: 'c1' }, true],
    ['Okta', { sub: '0oa1', cid: '0oa1' }, true],
    ['Keycloak', { sub: 'f3', azp: 'crm', preferred_username: 'service-account-crm' }, true],
    ['a person of Entra', { idtyp: 'user', oid: 'o', azp: 'c' }, false],
    ['a person of Keycloak', { sub: 'f4', azp: 'crm', preferred_username: 'alice' }, false],
  ])('%s', async (_who, claims, isApplication) => {
    expect(speaksForApplication(await service.token(claims))).toBe(isApplication)
  })

  test('nobody knows of one that is no JWT', () => {
    expect(['opaque', 'a.b.c', ''].map(speaksForApplication)).toEqual([false, false, false])
  })
})
