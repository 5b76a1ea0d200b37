import * as oauth from 'oauth4webapi'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { stateBackends, type SharedState } from '../../state/backends.fixture.ts'
import { storeBackends, type TestStores } from '../../store/backends.fixture.ts'
import { startServer, TestBrowser, type TestServer } from './serving.fixture.ts'

const insecure = { [oauth.allowInsecureRequests]: true }
const redirectUri = 'https://app.example/callback'
const config = {
  clients: {
    app: { redirect_uris: [redirectUri], name: 'The App' },
    local: { redirect_uris: ['http://127.0.0.1/callback'] },
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

beforeEach(async () => {
  if (sqlite === undefined || memory === undefined) throw new Error('there is no backend')
  stores = await sqlite.make()
  states = await memory.make()
  server = await startServer({ store: await stores.open(), state: await states.open(), config })
  const issuer = new URL(server.url)
  as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }))
  browser = new TestBrowser('alice')
})

afterEach(async () => {
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

describe('a person allows an application', () => {
  test('and it gets a token for what was asked for, which is this person here and nobody elsewhere', async () => {
    const ask = await asking()
    const page = await browser.visit(ask.url)
    expect(page.status).toBe(200)
    expect(page.text).toContain('The App')
    expect(page.text).toContain('app.example')
    expect(page.text).toContain('jira__read')
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
    await expect(server.whoIs(token, '/mcp/other')).rejects.toThrow('another resource')
    await expect(server.whoIs(token, '/v1/messages')).rejects.toThrow('another resource')
  })
})

test('a workload gets a token by its secret, and only for what it may', async () => {
  const client = { client_id: 'ci' }
  const auth = oauth.ClientSecretBasic('secret-of-the-client-ci')
  const response = await oauth.clientCredentialsGrantRequest(as, client, auth, { resource: `${server.url}/v1` }, insecure)
  const { access_token: token, scope } = await oauth.processClientCredentialsResponse(as, client, response)
  expect(scope).toBe('models')
  expect(await server.whoIs(token, '/v1/messages')).toMatchObject({ principal: { id: 'ci' }, scopes: ['models'] })
  const other = await oauth.clientCredentialsGrantRequest(as, client, auth, { resource: `${server.url}/mcp/work` }, insecure)
  await expect(oauth.processClientCredentialsResponse(as, client, other)).rejects.toThrow('error')
})
