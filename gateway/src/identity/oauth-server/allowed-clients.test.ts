import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stateBackends, type SharedState } from '../../state/backends.fixture.ts'
import { storeBackends, type TestStores } from '../../store/backends.fixture.ts'
import { startServer, TestBrowser, type TestServer } from './serving.fixture.ts'

const insecure = { [oauth.allowInsecureRequests]: true }
const redirectUri = 'https://app.example/callback'
const clients = { app: { redirect_uris: [redirectUri], name: 'The App' }, other: { redirect_uris: [redirectUri], name: 'Another' } }

let stores: TestStores
let states: SharedState
let server: TestServer
let as: oauth.AuthorizationServer

beforeAll(async () => {
  const [sqlite] = storeBackends
  const [memory] = stateBackends
  if (sqlite === undefined || memory === undefined) throw new Error('there is no backend')
  stores = await sqlite.make()
  states = await memory.make()
  server = await startServer({ store: await stores.open(), state: await states.open(), config: { clients } })
  const issuer = new URL(server.url)
  as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }))
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await states?.[Symbol.asyncDispose]()
  await stores?.[Symbol.asyncDispose]()
})

async function asking(client: string): Promise<{ readonly url: string; readonly verifier: string }> {
  const verifier = oauth.generateRandomCodeVerifier()
  const url = new URL(as.authorization_endpoint ?? '')
  url.search = new URLSearchParams({
    client_id: client,
    redirect_uri: redirectUri,
    response_type: 'code',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    resource: `${server.url}/mcp/work`,
  }).toString()
  return { url: url.href, verifier }
}

async function tokensOf(browser: TestBrowser, client: string) {
  const { url, verifier } = await asking(client)
  const page = await browser.visit(url)
  const end = page.status === 0 ? page : await browser.answer(page, { decision: 'allow' })
  const parameters = oauth.validateAuthResponse(as, { client_id: client }, end.url)
  const answer = await oauth.authorizationCodeGrantRequest(
    as,
    { client_id: client },
    oauth.None(),
    parameters,
    redirectUri,
    verifier,
    insecure,
  )
  return oauth.processAuthorizationCodeResponse(as, { client_id: client }, answer)
}

const refresh = async (client: string, token = '') =>
  (await (await oauth.refreshTokenGrantRequest(as, { client_id: client }, oauth.None(), token, insecure)).json()) as { error?: string }

const allowed = (browser: TestBrowser) => browser.visit(`${server.url}/oauth/allowed`)

test('what a person has allowed is theirs to see, and what they take back ends with all it gave, and nothing else does', async () => {
  const [alice, bob] = [new TestBrowser('alice'), new TestBrowser('bob')]
  const gone = [await tokensOf(alice, 'app'), await tokensOf(alice, 'app')]
  const kept = [await tokensOf(alice, 'other'), await tokensOf(bob, 'app')]
  const page = await allowed(alice)
  for (const name of ['The App', 'Another']) expect(page.text).toContain(name)
  expect((await allowed(bob)).text).not.toContain('Another')

  expect((await alice.answer(page, { client: 'app', form: 'guessed' })).status).toBe(403)
  expect((await alice.answer(page, { client: 'nobody' })).text).not.toContain('taken back')
  for (const { access_token: token } of [...gone, ...kept]) expect(await server.whoIs(token, '/mcp/work')).toBeDefined()

  const after = await alice.answer(page, { client: 'app' })
  expect(after.text).toContain('It was taken back')
  expect(after.text).not.toContain('The App')
  for (const { access_token: token, refresh_token: again } of gone) {
    await expect(server.whoIs(token, '/mcp/work')).rejects.toThrow('revoked')
    expect(await refresh('app', again)).toMatchObject({ error: 'invalid_grant' })
  }
  for (const { access_token: token } of kept) expect(await server.whoIs(token, '/mcp/work')).toBeDefined()
  expect(await refresh('app', kept[1]?.refresh_token)).not.toHaveProperty('error')
  // Whoever has taken it back is asked again.
  expect((await alice.visit((await asking('app')).url)).text).toContain('decision')
})
