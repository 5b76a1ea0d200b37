import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { stateBackends, type SharedState } from '../../state/backends.fixture.ts'
import { storeBackends, type TestStores } from '../../store/backends.fixture.ts'
import { startServer, TestBrowser, type TestServer } from './serving.fixture.ts'

const insecure = { [oauth.allowInsecureRequests]: true }
const redirectUri = 'https://app.example/callback'
const config = {
  registration: { dcr: true },
  clients: {
    app: { redirect_uris: [redirectUri], name: 'The App' },
    local: { redirect_uris: ['http://127.0.0.1/callback'] },
    tv: { grants: ['device_code', 'refresh_token'] },
    ci: { grant: 'client_credentials', secret: 'secret-of-the-client-ci', principal: 'ci', scopes: ['models'] },
  },
}

const [sqlite] = storeBackends
const [memory] = stateBackends
let stores: TestStores
let states: SharedState
let server: TestServer
let as: oauth.AuthorizationServer
let browser: TestBrowser
const gone = new Set<string>()

beforeAll(async () => {
  if (sqlite === undefined || memory === undefined) throw new Error('there is no backend')
  stores = await sqlite.make()
  states = await memory.make()
  server = await startServer({ store: await stores.open(), state: await states.open(), config, gone })
  const issuer = new URL(server.url)
  as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }))
})

beforeEach(() => {
  browser = new TestBrowser('alice')
  gone.clear()
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await states[Symbol.asyncDispose]()
  await stores[Symbol.asyncDispose]()
})

interface Asking {
  readonly url: string
  readonly verifier: string
}

async function asking(parameters: Readonly<Record<string, string | undefined>> = {}): Promise<Asking> {
  const verifier = oauth.generateRandomCodeVerifier()
  const usual = {
    client_id: 'app',
    redirect_uri: redirectUri,
    response_type: 'code',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state: 'state-of-the-app',
    resource: `${server.url}/mcp/work`,
    scope: 'mcp',
  }
  const url = new URL(as.authorization_endpoint ?? '')
  for (const [name, value] of Object.entries({ ...usual, ...parameters })) if (value !== undefined) url.searchParams.set(name, value)
  return { url: url.href, verifier }
}

/** The code for an allowed request, as the application checks it. */
async function allowed({ url }: Asking): Promise<URLSearchParams> {
  const page = await browser.visit(url)
  const end = page.status === 0 ? page : await browser.answer(page, { decision: 'allow' })
  return oauth.validateAuthResponse(as, { client_id: 'app' }, end.url, 'state-of-the-app')
}

function exchange(parameters: URLSearchParams, verifier: string): Promise<Response> {
  return oauth.authorizationCodeGrantRequest(as, { client_id: 'app' }, oauth.None(), parameters, redirectUri, verifier, insecure)
}

async function tokens() {
  const ask = await asking()
  return oauth.processAuthorizationCodeResponse(as, { client_id: 'app' }, await exchange(await allowed(ask), ask.verifier))
}

/** What a client is told at its redirect URI. */
function told({ url }: { readonly url: URL }): Record<string, string> {
  return Object.fromEntries([...url.searchParams, ...new URLSearchParams(url.hash.slice(1))])
}

function refresh(token: string): Promise<Response> {
  return oauth.refreshTokenGrantRequest(as, { client_id: 'app' }, oauth.None(), token, insecure)
}

describe('a person allows an application', () => {
  test('and it gets a token for what was asked for, which is this person here and nobody elsewhere', async () => {
    const page = await browser.visit((await asking()).url)
    expect(page.status).toBe(200)
    for (const text of ['The App', 'app.example', 'jira__read', 'alice']) expect(page.text).toContain(text)
    expect(page.headers.get('x-frame-options')).toBe('DENY')
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    const { access_token: token, scope } = await tokens()
    expect(scope).toBe('mcp')
    expect(await server.whoIs(token, '/mcp/work')).toMatchObject({
      principal: { id: 'alice' },
      issuer: 'turnward',
      consumer: 'app',
      scopes: ['mcp'],
    })
    await expect(server.whoIs(token, '/mcp/other')).rejects.toThrow('somebody else')
    await expect(server.whoIs(token, '/v1/messages')).rejects.toThrow('somebody else')
    await expect(server.whoIs(token.slice(0, -4), '/mcp/work')).rejects.toThrow()
    gone.add('alice')
    await expect(server.whoIs(token, '/mcp/work')).rejects.toThrow()
  })

  test('is not asked again for the same, and is for more', async () => {
    await tokens()
    expect((await browser.visit((await asking()).url)).status).toBe(0)
    expect((await browser.visit((await asking({ resource: server.url, scope: 'models mcp' })).url)).text).toContain('decision')
    browser.become('bob')
    expect((await browser.visit((await asking()).url)).text).toContain('<strong>bob</strong>')
  })

  test('a token for all of us is good at each resource', async () => {
    const ask = await asking({ resource: undefined, scope: undefined })
    const { access_token: token, scope } = await oauth.processAuthorizationCodeResponse(
      as,
      { client_id: 'app' },
      await exchange(await allowed(ask), ask.verifier),
    )
    expect(scope).toBe('models mcp')
    for (const path of ['/v1/messages', '/mcp/work', '/mcp/other'])
      expect(await server.whoIs(token, path)).toMatchObject({ principal: { id: 'alice' } })
  })
})

describe('what ends an authorization', () => {
  test('a person who does not allow it', async () => {
    const page = await browser.visit((await asking({ scope: 'mcp', prompt: 'consent' })).url)
    expect(told(await browser.answer(page, { decision: 'deny' }))).toMatchObject({
      error: 'access_denied',
      state: 'state-of-the-app',
      iss: server.url,
    })
  })

  test('another person who has signed in since', async () => {
    const page = await browser.visit((await asking({ prompt: 'consent' })).url)
    browser.become('bob')
    await browser.visit(`${server.url}/sign-in?return=/`)
    expect(told(await browser.answer(page, { decision: 'allow' }))).toMatchObject({ error: 'access_denied' })
  })

  test('not a session that has ended: whoever signs in again is asked again', async () => {
    const page = await browser.visit((await asking({ prompt: 'consent' })).url)
    browser.signOut()
    const again = await browser.answer(page, { decision: 'allow' })
    expect(again.text).toContain('decision')
    expect(told(await browser.answer(again, { decision: 'allow' }))).toHaveProperty('code')
  })

  test('a form that another browser sends, or that somebody else made', async () => {
    const page = await browser.visit((await asking({ prompt: 'consent' })).url)
    expect(await new TestBrowser('alice').answer(page, { decision: 'allow' })).toMatchObject({ status: 400 })
    const guessed = await browser.answer(page, { decision: 'allow', form: 'guessed' })
    expect([guessed.status, guessed.text]).toEqual([403, expect.stringContaining('<h1>This did not work</h1>')])
  })

  test('a question to nobody that may not be shown', async () => {
    expect(told(await browser.visit((await asking({ prompt: 'none' })).url))).toMatchObject({ error: 'login_required' })
  })
})

describe('requests that are refused', () => {
  test.each([
    ['without PKCE', { code_challenge: undefined, code_challenge_method: undefined }],
    ['with PKCE that hides nothing', { code_challenge_method: 'plain' }],
    ['with a token in the answer', { response_type: 'token' }],
  ])('%s', async (_name, parameters) => {
    const { error } = told(await browser.visit((await asking(parameters)).url))
    expect(error).toMatch(/^(?:invalid_request|unsupported_response_type)$/)
  })

  test('for a resource that is not here', async () => {
    const { error } = told(await browser.visit((await asking({ resource: 'https://other.example/mcp' })).url))
    expect(error).toBe('invalid_target')
  })

  test.each([
    ['another host', 'https://evil.example/callback'],
    ['another path', `${redirectUri}/more`],
    ['a query more', `${redirectUri}?next=https://evil.example`],
    ['another scheme', 'http://app.example/callback'],
    ['user information', 'https://app.example@evil.example/callback'],
    ['nothing', undefined],
  ])('with a redirect URI that has %s: nobody is sent there', async (_name, uri) => {
    expect(await browser.visit((await asking({ redirect_uri: uri })).url)).toMatchObject({ status: 400 })
  })

  test('by a client that is not known', async () => {
    expect(await browser.visit((await asking({ client_id: 'nobody' })).url)).toMatchObject({ status: 400 })
  })
})

describe('a code', () => {
  test('is good once, and takes what it gave with it when it comes again', async () => {
    const ask = await asking()
    const parameters = await allowed(ask)
    const first = await exchange(parameters, ask.verifier)
    const { refresh_token: kept = '', access_token: token } = await oauth.processAuthorizationCodeResponse(as, { client_id: 'app' }, first)
    expect(await server.whoIs(token, '/mcp/work')).toBeDefined()
    expect(await (await exchange(parameters, ask.verifier)).json()).toMatchObject({ error: 'invalid_grant' })
    expect(await (await refresh(kept)).json()).toMatchObject({ error: 'invalid_grant' })
    await expect(server.whoIs(token, '/mcp/work')).rejects.toThrow('revoked')
  })

  test('is good once also when it comes to two replicas at once', async () => {
    await using other = await server.another()
    const ask = await asking({ prompt: 'consent' })
    const parameters = await allowed(ask)
    const there = { ...as, token_endpoint: (as.token_endpoint ?? '').replace(server.url, other.url) }
    const answers = await Promise.all(
      [as, there].map((one) =>
        oauth.authorizationCodeGrantRequest(one, { client_id: 'app' }, oauth.None(), parameters, redirectUri, ask.verifier, insecure),
      ),
    )
    expect(answers.filter(({ ok }) => ok).length).toBeLessThan(2)
  })

  test.each([
    ['with another verifier', { verifier: oauth.generateRandomCodeVerifier() }],
    ['with another redirect URI', { uri: 'https://app.example/other' }],
    ['by another client', { client: 'local' }],
  ])('is not good %s', async (_name, { verifier, uri, client = 'app' }: { verifier?: string; uri?: string; client?: string }) => {
    const ask = await asking()
    const parameters = await allowed(ask)
    const response = await oauth.authorizationCodeGrantRequest(
      as,
      { client_id: client },
      oauth.None(),
      parameters,
      uri ?? redirectUri,
      verifier ?? ask.verifier,
      insecure,
    )
    expect(await response.json()).toMatchObject({ error: 'invalid_grant' })
  })
})

describe('a refresh token', () => {
  test('is replaced with each use, and ends all of them when an old one comes again', async () => {
    const { refresh_token: first = '' } = await tokens()
    const { refresh_token: second = '', access_token: token } = await oauth.processRefreshTokenResponse(
      as,
      { client_id: 'app' },
      await refresh(first),
    )
    expect(await server.whoIs(token, '/mcp/work')).toMatchObject({ principal: { id: 'alice' } })
    expect(second).not.toBe(first)
    expect(await (await refresh(first)).json()).toMatchObject({ error: 'invalid_grant' })
    expect(await (await refresh(second)).json()).toMatchObject({ error: 'invalid_grant' })
  })

  test('ends when its client revokes it, and with its person', async () => {
    const { refresh_token: one = '', access_token: token } = await tokens()
    await oauth.processRevocationResponse(await oauth.revocationRequest(as, { client_id: 'app' }, oauth.None(), one, insecure))
    expect(await (await refresh(one)).json()).toMatchObject({ error: 'invalid_grant' })
    await expect(server.whoIs(token, '/mcp/work')).rejects.toThrow('revoked')
    const { refresh_token: other = '' } = await tokens()
    gone.add('alice')
    expect(await (await refresh(other)).json()).toMatchObject({ error: 'invalid_grant' })
  })
})

test('an application on the own machine answers at any port, is warned of, and asks every time', async () => {
  const ask = async (uri: string) => browser.visit((await asking({ client_id: 'local', redirect_uri: uri })).url)
  const page = await ask('http://127.0.0.1:50123/callback')
  expect(page.text).toContain('a program on this computer')
  expect(told(await browser.answer(page, { decision: 'allow' }))).toHaveProperty('code')
  expect((await ask('http://127.0.0.1:50124/callback')).text).toContain('decision')
  expect(await ask('http://127.0.0.1:50124/other')).toMatchObject({ status: 400 })
  expect(await ask('http://localhost:50124/callback')).toMatchObject({ status: 400 })
})

test('a request may be pushed first', async () => {
  const { url, verifier } = await asking({ prompt: 'consent' })
  const pushed = await oauth.pushedAuthorizationRequest(as, { client_id: 'app' }, oauth.None(), new URL(url).searchParams, insecure)
  const { request_uri: requestUri } = await oauth.processPushedAuthorizationResponse(as, { client_id: 'app' }, pushed)
  const parameters = await allowed({
    url: `${as.authorization_endpoint}?client_id=app&request_uri=${encodeURIComponent(requestUri)}`,
    verifier,
  })
  expect((await exchange(parameters, verifier)).ok).toBe(true)
})

test('a token that is bound to a key is good with a new proof of that key for this request, and with nothing else', async () => {
  const keys = await oauth.generateKeyPair('ES256')
  const DPoP = oauth.DPoP({}, keys)
  const ask = await asking()
  const parameters = await allowed(ask)
  const response = await oauth.authorizationCodeGrantRequest(
    as,
    { client_id: 'app' },
    oauth.None(),
    parameters,
    redirectUri,
    ask.verifier,
    { ...insecure, DPoP },
  )
  const { access_token: token, token_type: type } = await oauth.processAuthorizationCodeResponse(as, { client_id: 'app' }, response)
  expect(type).toBe('dpop')
  const proof = async (url: string, method = 'POST'): Promise<string> => {
    const seen: string[] = []
    const keep = (_url: string, options: { headers: Record<string, string> }) => {
      seen.push(new Headers(options.headers).get('dpop') ?? '')
      return Promise.resolve(new Response())
    }
    await oauth.protectedResourceRequest(token, method, new URL(url), undefined, null, {
      ...insecure,
      DPoP,
      [oauth.customFetch]: keep as never,
    })
    return seen[0] ?? ''
  }
  const show = (dpop: string, scheme = 'DPoP') => server.whoIs(token, '/mcp/work', { scheme, headers: { dpop } })
  const good = await proof(`${server.url}/mcp/work`)
  await expect(show(good, 'Bearer')).rejects.toThrow('bound to a key')
  expect(await show(good)).toMatchObject({ principal: { id: 'alice' } })
  await expect(show(good)).rejects.toThrow('shown before')
  await expect(show(await proof(`${server.url}/mcp/other`))).rejects.toThrow('another request')
  await expect(show(await proof(`${server.url}/mcp/work`, 'GET'))).rejects.toThrow('another request')
})

test('a device shows a code, a person types it in and allows it', async () => {
  const client = { client_id: 'tv' }
  const asked = await oauth.deviceAuthorizationRequest(
    as,
    client,
    oauth.None(),
    { scope: 'mcp', resource: `${server.url}/mcp/work` },
    insecure,
  )
  const device = await oauth.processDeviceAuthorizationResponse(as, client, asked)
  const poll = () => oauth.deviceCodeGrantRequest(as, client, oauth.None(), device.device_code, insecure)
  expect(await (await poll()).json()).toMatchObject({ error: 'authorization_pending' })
  const page = await browser.visit(device.verification_uri)
  expect(await browser.answer(page, { user_code: 'WRON-GONE' })).toMatchObject({ status: 400 })
  const confirm = await browser.answer(await browser.visit(device.verification_uri), { user_code: device.user_code })
  expect(confirm.text).toContain(device.user_code)
  const consent = await browser.answer(confirm, { confirm: 'yes' })
  expect(consent.text).toContain('The answer goes to the device')
  expect((await browser.answer(consent, { decision: 'allow' })).text).toContain('Connected')
  const { access_token: token } = await oauth.processDeviceCodeResponse(as, client, await poll())
  expect(await server.whoIs(token, '/mcp/work')).toMatchObject({ principal: { id: 'alice' } })
})

test('a workload gets a token by its secret, and only for what it may', async () => {
  const client = { client_id: 'ci' }
  const auth = oauth.ClientSecretBasic('secret-of-the-client-ci')
  const response = await oauth.clientCredentialsGrantRequest(as, client, auth, { resource: `${server.url}/v1` }, insecure)
  const { access_token: token, scope } = await oauth.processClientCredentialsResponse(as, client, response)
  expect(scope).toBe('models')
  expect(await server.whoIs(token, '/v1/messages')).toMatchObject({ principal: { id: 'ci' }, scopes: ['models'] })
  const ask = (secret: string, resource: string) =>
    oauth.clientCredentialsGrantRequest(as, client, oauth.ClientSecretBasic(secret), { resource }, insecure)
  expect(await (await ask('secret-of-the-client-ci', `${server.url}/mcp/work`)).json()).toMatchObject({ error: 'invalid_target' })
  expect(await (await ask('secret-of-somebody-else', `${server.url}/v1`)).json()).toMatchObject({ error: 'invalid_client' })
})

test('a client that registers itself is held to what all are held to, and people are warned of its name', async () => {
  const register = (uri: string) =>
    fetch(as.registration_endpoint ?? '', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: [uri], client_name: 'My Bank', token_endpoint_auth_method: 'none', scope: 'admin mcp' }),
    })
  for (const uri of ['http://evil.example/callback', 'javascript:alert(1)', 'https://user:password@evil.example/'])
    expect((await register(uri)).status).toBe(400)
  const { client_id: id } = (await (await register(redirectUri)).json()) as { client_id: string }
  const page = await browser.visit((await asking({ client_id: id, resource: server.url, scope: 'admin models' })).url)
  expect(page.text).toContain('nobody has checked its name')
  expect(page.text).not.toContain('administer')
})

test('nothing of a request decides what the server calls itself', async () => {
  const hostile = {
    host: 'evil.example',
    'x-forwarded-host': 'evil.example',
    forwarded: 'host=evil.example;proto=https',
    'x-forwarded-proto': 'https',
  }
  const text = await (await fetch(`${server.url}/.well-known/oauth-authorization-server`, { headers: hostile })).text()
  expect(text).not.toContain('evil.example')
  expect(JSON.parse(text)).toMatchObject({ issuer: server.url, token_endpoint: `${server.url}/oauth/token` })
})

test('clients find the metadata wherever they look', async () => {
  const documents = [
    '/.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration',
    '/.well-known/oauth-authorization-server/mcp/work',
  ]
  for (const path of documents)
    expect(await (await fetch(`${server.url}${path}`)).json()).toMatchObject({
      issuer: server.url,
      code_challenge_methods_supported: ['S256'],
    })
  const resources = { '': server.url, '/v1': `${server.url}/v1`, '/mcp/work': `${server.url}/mcp/work` }
  for (const [path, resource] of Object.entries(resources))
    expect(await (await fetch(`${server.url}/.well-known/oauth-protected-resource${path}`)).json()).toMatchObject({
      resource,
      authorization_servers: [server.url],
    })
  for (const path of ['/mcp/none', '/other'])
    expect((await fetch(`${server.url}/.well-known/oauth-protected-resource${path}`)).status).toBe(404)
})
