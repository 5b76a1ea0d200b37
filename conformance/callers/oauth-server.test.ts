/** The gateway as an authorization server: workloads and tokens of the company's provider, with a strict client and over real sockets. */
import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair } from 'jose'
import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../../scripts/services/free-port.ts'
import { startGoverned, withParts, type GovernedGateway } from '../harness/governed-gateway.ts'
import { startIdentityProvider, type IdentityProvider } from '../harness/identity-provider.ts'
import { until } from '../harness/until.ts'
import { startModern, type ModernUpstream } from '../mcp/upstream-servers.ts'

const insecure = { [oauth.allowInsecureRequests]: true }
const secrets = {
  ci: 'secret-of-the-client-ci-0123456789',
  agent: 'secret-of-the-client-agent-0123456',
  bot: 'secret-of-the-client-bot-012345678',
}
const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
const bearerGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

const keyPair = await generateKeyPair('ES256')
const otherPair = await generateKeyPair('ES256')
const publicKey = { ...(await exportJWK(keyPair.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }

let idp: IdentityProvider
let tools: ModernUpstream
let governed: GovernedGateway
let as: oauth.AuthorizationServer
let url: string
const shown: string[] = Object.values(secrets)

beforeAll(async () => {
  idp = await startIdentityProvider()
  tools = await startModern()
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  governed = await startGoverned((config) =>
    withParts({
      listen: { port, public_url: url },
      identity: {
        issuers: {
          acme: { issuer: idp.issuer, allow_http: true, audiences: ['turnward'], algorithms: ['ES256'], user: 'email', provision: 'auto' },
        },
        oauth: {
          clients: {
            ci: { grant: 'client_credentials', secret: secrets.ci, principal: 'ci' },
            agent: { grants: ['token_exchange', 'jwt_bearer'], secret: secrets.agent },
            bot: { grant: 'jwt_bearer', secret: secrets.bot, auth: 'post' },
            signing: { grant: 'client_credentials', jwks: { keys: [publicKey] }, principal: 'ci' },
          },
        },
      },
      principals: { ci: { kind: 'workload' } },
      keys: {},
      grants: [{ principals: ['*'], models: ['gpt-test'], gateways: ['main'], tools: ['*'] }],
      servers: { modern: { transport: 'http', url: tools.url } },
      gateways: { main: { servers: ['modern'] } },
    })(config),
  )
  governed.answer({ text: 'Hello.' })
  const issuer = new URL(url)
  as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }))
})
afterAll(async () => {
  await governed?.close()
  await tools?.[Symbol.asyncDispose]()
  await idp?.[Symbol.asyncDispose]()
})

const models = (token: string) => fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${token}` } })
const mcp = (token?: string) =>
  fetch(`${url}/mcp/main`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
    }),
  })

async function tokenOf(client: keyof typeof secrets, grant: string, parameters: Readonly<Record<string, string>>) {
  const auth = client === 'bot' ? oauth.ClientSecretPost(secrets.bot) : oauth.ClientSecretBasic(secrets[client])
  const response = await oauth.genericTokenEndpointRequest(
    as,
    { client_id: client },
    auth,
    grant,
    new URLSearchParams(parameters),
    insecure,
  )
  const answer = (await response.json()) as { access_token?: string; error?: string; scope?: string; issued_token_type?: string }
  if (answer.access_token !== undefined) shown.push(answer.access_token)
  return answer
}

test('whoever comes without a token is told where to get one', async () => {
  const refused = await mcp()
  expect(refused.status).toBe(401)
  expect(refused.headers.get('www-authenticate')).toBe(
    `Bearer resource_metadata="${url}/.well-known/oauth-protected-resource/mcp/main", scope="mcp"`,
  )
  const metadata = (await (await fetch(`${url}/.well-known/oauth-protected-resource/mcp/main`)).json()) as object
  expect(metadata).toMatchObject({ resource: `${url}/mcp/main`, authorization_servers: [url, idp.issuer], scopes_supported: ['mcp'] })
  const model = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })
  expect(model.headers.get('www-authenticate')).toContain(`${url}/.well-known/oauth-protected-resource/v1`)
})

test('a workload calls with a token of its own, for what it asked and nothing else', async () => {
  const { access_token: forModels = '' } = await tokenOf('ci', 'client_credentials', { resource: `${url}/v1` })
  expect((await models(forModels)).status).toBe(200)
  const elsewhere = await mcp(forModels)
  expect(elsewhere.status).toBe(401)
  expect(elsewhere.headers.get('www-authenticate')).toContain('error="invalid_token"')
  const { access_token: forAll = '', scope } = await tokenOf('ci', 'client_credentials', { scope: 'models' })
  expect(scope).toBe('models')
  const tooLittle = await mcp(forAll)
  expect(tooLittle.status).toBe(403)
  expect(tooLittle.headers.get('www-authenticate')).toMatch(/^Bearer error="insufficient_scope", .*scope="models mcp"$/)
  const { access_token: forTools = '' } = await tokenOf('ci', 'client_credentials', { resource: `${url}/mcp/main` })
  expect((await mcp(forTools)).status).toBe(200)
})

test('a workload proves itself with a key, and no other key is good for it', async () => {
  const ask = async (pair: typeof keyPair) => {
    const auth = oauth.PrivateKeyJwt({ key: pair.privateKey, kid: 'k1' })
    const client = { client_id: 'signing' }
    const parameters = new URLSearchParams({ resource: `${url}/v1` })
    return (await oauth.clientCredentialsGrantRequest(as, client, auth, parameters, insecure)).json() as Promise<Record<string, string>>
  }
  const { access_token: token = '' } = await ask(keyPair)
  expect((await models(token)).status).toBe(200)
  expect(await ask(otherPair)).toMatchObject({ error: 'invalid_client' })
})

test('tokens are signed with a new key from when an administrator says so, and those before stay good', async () => {
  const tokenNow = async () => (await tokenOf('ci', 'client_credentials', { resource: `${url}/v1` })).access_token ?? ''
  const before = await tokenNow()
  const { code, stdout } = await governed.gateway.cli(['oauth', 'rotate-keys', '--json'])
  expect(code).toBe(0)
  const { keys } = JSON.parse(stdout) as { keys: string[] }
  expect(keys).toContain(decodeProtectedHeader(before).kid)
  const after = await until('a token of the new key', async () => {
    const token = await tokenNow()
    return decodeProtectedHeader(token).kid === keys[0] ? token : undefined
  })
  for (const token of [before, after]) expect((await models(token)).status).toBe(200)
  const published = (await (await fetch(String(as.jwks_uri))).json()) as { keys: { kid: string }[] }
  expect(published.keys.map(({ kid }) => kid).sort()).toEqual([...keys].sort())
})

describe('a token of the company’s provider', () => {
  const exchange = (token: string, more: Readonly<Record<string, string>> = {}) =>
    tokenOf('agent', exchangeGrant, {
      subject_token: token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      resource: `${url}/v1`,
      ...more,
    })

  test('becomes one of ours that names the person and who acts', async () => {
    const { access_token: token = '', issued_token_type: type } = await exchange(await idp.accessToken('alice'))
    expect(type).toBe('urn:ietf:params:oauth:token-type:access_token')
    expect(decodeJwt(token)).toMatchObject({ iss: url, aud: `${url}/v1`, sub: 'alice@acme.example', idp: 'acme', act: { sub: 'agent' } })
    expect((await models(token)).status).toBe(200)
  })

  test('is exchanged neither for another client nor when it is not for us', async () => {
    expect(
      await tokenOf('ci', exchangeGrant, {
        subject_token: await idp.accessToken('alice'),
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      }),
    ).toMatchObject({ error: 'invalid_request' })
    expect(await exchange(await idp.sign({ claims: { sub: 'alice', email: 'alice@acme.example', aud: 'other' } }))).toMatchObject({
      error: 'invalid_grant',
    })
    expect(await exchange('no.token.atall')).toMatchObject({ error: 'invalid_grant' })
    expect(await exchange(await idp.accessToken('alice'), { actor_token: 'x' })).toMatchObject({ error: 'invalid_request' })
  })
})

describe('an assertion that a person may use us', () => {
  const now = () => Math.floor(Date.now() / 1000)
  const assertion = (claims: object = {}, header: object = {}) =>
    idp.sign({
      claims: {
        sub: 'bob',
        email: 'bob@acme.example',
        aud: url,
        client_id: 'agent',
        iat: now(),
        exp: now() + 120,
        jti: crypto.randomUUID(),
        ...claims,
      },
      header: { typ: 'oauth-id-jag+jwt', ...header },
    })
  const show = (text: string, client: 'agent' | 'bot' = 'agent') => tokenOf(client, bearerGrant, { assertion: text, resource: `${url}/v1` })

  test('is good once, for the client it names', async () => {
    const text = await assertion()
    expect(await show(text, 'bot')).toMatchObject({ error: 'invalid_grant' })
    const { access_token: token = '' } = await show(text)
    expect(decodeJwt(token)).toMatchObject({ sub: 'bob@acme.example', client_id: 'agent' })
    expect((await models(token)).status).toBe(200)
    expect(await show(text)).toMatchObject({ error: 'invalid_grant' })
  })

  test.each<[string, object, object]>([
    ['is an access token', {}, { typ: 'at+jwt' }],
    ['is for another server', { aud: 'https://other.example' }, {}],
    ['has expired', { iat: 1_700_000_000, exp: 1_700_000_100 }, {}],
    ['has no id', { jti: undefined }, {}],
    ['is of nobody that is configured', { iss: 'https://evil.example' }, {}],
  ])('is not taken when it %s', async (_what, claims, header) => {
    expect(await show(await assertion(claims, header))).toMatchObject({ error: 'invalid_grant' })
  })
})

test('nobody registers where that is off, and nothing secret is in the log', async () => {
  expect(as.registration_endpoint).toBeUndefined()
  expect(
    (await fetch(`${url}/oauth/register`, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } })).status,
  ).toBe(404)
  const logs = governed.gateway.logs()
  for (const secret of shown) expect(logs).not.toContain(secret)
})
