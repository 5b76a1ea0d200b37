import { generateKeyPairSync } from 'node:crypto'
import { configSchema } from '@turnward/contract/config'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { describe, expect, test } from 'vitest'
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import { noHeaders, type Challenge, type ServerHeaders } from './auth-kind.ts'
import { sharedCredentials } from './shared-credentials.ts'
import { issuerDocument, startScripted, type Scripted } from './scripted-issuer.fixture.ts'

const secret = 'a secret: with/signs'
const { signal } = new AbortController()

/** A server whose authorization server is at the same origin, and what the gateway has for it. */
async function setUp(auth: Readonly<Record<string, unknown>> = {}, describes = true) {
  let issued = 0
  const there: Scripted = await startScripted(({ path }) => {
    if (path === '/.well-known/oauth-authorization-server/as') return { body: issuerDocument(`${there.origin}/as`) }
    if (path === '/as/token') return { body: { access_token: `t${++issued}`, token_type: 'Bearer', expires_in: 3600 } }
    const isNamed = path === '/described' || (describes && path.startsWith('/.well-known/oauth-protected-resource'))
    return isNamed ? { body: { resource: `${there.origin}/mcp`, authorization_servers: [`${there.origin}/as`] } } : undefined
  })
  const at = `${there.origin}/as`
  const said = { kind: 'client_credentials', client: { id: 'me', secret }, allow_http: true, ...auth }
  const text = JSON.stringify({ servers: { crm: { transport: 'http', url: `${there.origin}/mcp`, auth: said } } }).replaceAll('@AS', at)
  const config = configSchema.parse(JSON.parse(text)).servers.crm
  if (config === undefined) throw new Error('no server')
  const server: McpServer = { name: 'crm', config, digest: 'd' }
  const credentials = sharedCredentials({ now: () => 1000 })
  const query = { snapshot: {} as Snapshot, server, caller: undefined, signal }
  const headers = () => credentials.headersFor(query)
  const refused = (sent: ServerHeaders, challenge: Partial<Challenge> = {}, before = 0) =>
    credentials.headersFor({
      ...query,
      refusal: {
        before,
        headers: sent,
        challenge: { status: 401, error: undefined, scope: undefined, resourceMetadata: undefined, ...challenge },
      },
    })
  const asked = () => there.at('/as/token').map(({ body }) => Object.fromEntries(new URLSearchParams(body)))
  return { there, credentials, server, headers, refused, asked, [Symbol.asyncDispose]: () => there[Symbol.asyncDispose]() }
}

const bearer = (token: string): ServerHeaders => ({ headers: { authorization: `Bearer ${token}` } })

test('a token is asked for at the authorization server that the server names, for that server', async () => {
  await using here = await setUp()
  expect(await here.headers()).toEqual(bearer('t1'))
  expect(here.asked()).toEqual([{ grant_type: 'client_credentials', resource: `${here.there.origin}/mcp` }])
  const [sent] = here.there.at('/as/token')
  expect(sent?.headers.authorization).toBe(
    `Basic ${Buffer.from(`me:${new URLSearchParams({ s: secret }).toString().slice(2)}`).toString('base64')}`,
  )
})

describe('what is asked for', () => {
  test.each([
    ['scopes that are configured', { scopes: ['a', 'b'] }, { scope: 'a b' }],
    ['an audience, for who knows no resource', { audience: 'crm', resource: false }, { audience: 'crm', resource: undefined }],
    ['another resource', { resource: 'https://crm.example/' }, { resource: 'https://crm.example/' }],
    ['at a configured issuer', { issuer: '@AS' }, { grant_type: 'client_credentials' }],
    ['at a configured address', { token_endpoint: '@AS/token' }, { grant_type: 'client_credentials' }],
    ['with the secret in the form', { client: { id: 'me', secret, auth: 'post' } }, { client_id: 'me', client_secret: secret }],
  ])('%s', async (_what, auth, form) => {
    await using here = await setUp(auth, !('issuer' in auth || 'token_endpoint' in auth))
    expect(await here.headers()).toEqual(bearer('t1'))
    for (const [name, value] of Object.entries(form)) expect(here.asked()[0]?.[name]).toBe(value)
  })

  test.each([
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), undefined],
    [
      'RS256',
      generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      undefined,
    ],
    ['PS256', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 'PS256'],
    ['Ed25519', JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })), undefined],
  ])('with an assertion signed with a key (%s)', async (algorithm, key, chosen) => {
    await using here = await setUp({
      client: { id: 'me', private_key: key, key_id: 'k1', ...(chosen === undefined ? {} : { algorithm: chosen }) },
    })
    expect(await here.headers()).toEqual(bearer('t1'))
    const { client_assertion: assertion = '', client_assertion_type: type } = here.asked()[0] ?? {}
    expect(type).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    expect(decodeProtectedHeader(assertion)).toMatchObject({ alg: algorithm, kid: 'k1' })
    // For the issuer alone: another one could not use it.
    expect(decodeJwt(assertion)).toMatchObject({ iss: 'me', sub: 'me', aud: `${here.there.origin}/as` })
  })
})

test('a server that says nothing of itself is asked without a token, and says then where it describes itself', async () => {
  await using here = await setUp({}, false)
  expect(await here.headers()).toEqual(noHeaders)
  const told = { resourceMetadata: `${here.there.origin}/described`, scope: 'read' }
  expect(await here.refused(noHeaders, told)).toEqual(bearer('t1'))
  expect(here.asked()).toMatchObject([{ scope: 'read' }])
})

test('a server that never says who issues its tokens gets none, and whoever looks is told what to configure', async () => {
  await using here = await setUp({}, false)
  await here.headers()
  await expect(here.refused(noHeaders)).rejects.toMatchObject({
    code: 'mcp.no_credential',
    why: expect.stringContaining('`issuer`') as string,
  })
})

test('a token that is refused is replaced once; a new one that is refused too was not the reason', async () => {
  await using here = await setUp()
  const first = await here.headers()
  const second = await here.refused(first ?? noHeaders)
  expect(second).toEqual(bearer('t2'))
  expect(await here.refused(second ?? noHeaders, {}, 1)).toBeUndefined()
  expect(here.asked()).toHaveLength(2)
})

test('scopes that a call needs are asked for with those there are, once', async () => {
  await using here = await setUp({ scopes: ['read'] })
  const first = await here.headers()
  const more = { status: 403 as const, error: 'insufficient_scope', scope: 'write' }
  const second = await here.refused(first ?? noHeaders, more)
  expect(here.asked().at(-1)).toMatchObject({ scope: 'read write' })
  // Who has it and is refused all the same is refused for another reason.
  expect(await here.refused(second ?? noHeaders, more, 1)).toBeUndefined()
  expect(await here.headers()).toEqual(second)
})

test('a refusal that is none of the token is the answer of the server', async () => {
  await using here = await setUp()
  expect(await here.refused((await here.headers()) ?? noHeaders, { status: 403 })).toBeUndefined()
  expect(here.asked()).toHaveLength(1)
})

test('what an authorization server writes about a failure reaches nobody', async () => {
  await using here = await setUp()
  const { answers } = here.there
  here.there.answers = (seen) =>
    seen.path === '/as/token' ? { status: 401, body: { error: 'invalid_client', error_description: `no ${secret}` } } : answers(seen)
  const failed = await here.headers().catch((error: unknown) => error)
  expect(failed).toMatchObject({ code: 'mcp.no_credential', why: 'the authorization server says `invalid_client`' })
  expect(JSON.stringify(failed)).not.toContain(secret)
})
