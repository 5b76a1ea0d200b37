/**
 * Servers that are asked with tokens of the gateway itself (`auth: { kind: client_credentials }`): a real authorization server,
 * and a server that takes its tokens for itself alone.
 */
import { decodeJwt, exportJWK, exportPKCS8, generateKeyPair } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { startIdentityProvider, type IdentityProvider } from '../harness/identity-provider.ts'
import { startProtectedServer, type ProtectedServer } from '../harness/protected-server.ts'
import { until } from '../harness/until.ts'
import { connectClient, textOf } from './official-client.ts'

const key = 'tw_conformance_tokens_000000000001'
const secret = 'a-secret-that-nobody-else-has-0123456789ab'

let issuer: IdentityProvider
let server: ProtectedServer
let elsewhere: ProtectedServer
let gateway: RunningGateway
let privateKey: string

beforeAll(async () => {
  const pair = await generateKeyPair('ES256', { extractable: true })
  privateKey = await exportPKCS8(pair.privateKey)
  const machine = { redirect_uris: [], response_types: [], grant_types: ['client_credentials'], client_secret: secret }
  const jwk = { ...(await exportJWK(pair.publicKey)), alg: 'ES256', use: 'sig', kid: 'ours' }
  issuer = await startIdentityProvider({
    clients: [
      { ...machine, client_id: 'basic-client', token_endpoint_auth_method: 'client_secret_basic' },
      { ...machine, client_id: 'post-client', token_endpoint_auth_method: 'client_secret_post' },
      {
        client_id: 'signing-client',
        redirect_uris: [],
        response_types: [],
        grant_types: ['client_credentials'],
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'ES256',
        jwks: { keys: [jwk] } as never,
      },
    ],
  })
  server = await startProtectedServer({ authorizationServer: issuer.issuer })
  elsewhere = await startProtectedServer({ authorizationServer: issuer.issuer, audience: 'https://somebody-else.example' })
  gateway = await startGateway({ config: config() })
  await until('the MCP servers', async () => ((await statesOf()).every(({ state }) => state !== 'starting') ? true : undefined))
})
afterAll(async () => {
  await gateway?.stop()
  await Promise.all([server, elsewhere, issuer].map((each) => each?.[Symbol.asyncDispose]()))
})

function config(): object {
  const auth = (client: object, more: object = {}) => ({ kind: 'client_credentials', client, allow_http: true, ...more })
  const at = ({ url }: ProtectedServer, own: object) => ({ transport: 'http', url, auth: own })
  return {
    listen: { port: 0 },
    principals: { ada: {} },
    keys: { ada: { principal: 'ada', secret: key } },
    grants: [{ principals: ['ada'], gateways: ['*'], tools: ['*'] }],
    contracts: { '*': { output: { trust: 'trusted' } } },
    servers: {
      basic: at(server, auth({ id: 'basic-client', secret })),
      post: at(server, auth({ id: 'post-client', secret, auth: 'post' }, { issuer: issuer.issuer, scopes: ['read'] })),
      signing: at(
        server,
        auth(
          { id: 'signing-client', private_key: privateKey, key_id: 'ours' },
          { token_endpoint: `${issuer.issuer}/token`, scopes: ['read'] },
        ),
      ),
      other: at(elsewhere, auth({ id: 'basic-client', secret })),
    },
    gateways: { main: { servers: ['basic', 'post', 'signing', 'other'] } },
  }
}

interface State {
  readonly state: string
  readonly detail?: string
}

async function statesOf(): Promise<readonly State[]> {
  return ((await (await fetch(`${gateway.url}/readyz`)).json()) as { servers: State[] }).servers
}

async function call(tool: string, args: Record<string, unknown> = {}): Promise<{ text: string; isError: boolean }> {
  const client = await connectClient(gateway.url, key)
  try {
    const result = (await client.callTool({ name: tool, arguments: args })) as { content: unknown[]; isError?: boolean }
    return { text: textOf(result), isError: result.isError === true }
  } finally {
    await client.close()
  }
}

test.each(['basic', 'post', 'signing'])('a client that proves who it is (%s) gets a token, which the server takes', async (name) => {
  expect((await call(`${name}__whoami`)).isError).toBe(false)
  const record = await gateway.recordThat((each) => each.type === 'decision' && each.subject === `${name}__whoami`)
  expect(record).toMatchObject({ credential: `server:${name}` })
})

test('however often a server is asked, a token is asked for once', async () => {
  const before = server.seen.length
  await Promise.all(Array.from({ length: 8 }, () => call('basic__whoami')))
  const shown = server.seen.slice(before).map(({ authorization }) => authorization)
  expect(shown.length).toBeGreaterThanOrEqual(8)
  // What other servers are asked with meanwhile is theirs.
  expect(new Set(shown).size).toBe(1)
})

test('what the caller showed goes to the server in no header and in no form', async () => {
  const canaries = ['canary-of-the-caller', key]
  const client = await connectClient(gateway.url, key, { headers: { cookie: 'canary-of-the-caller', 'x-token': 'canary-of-the-caller' } })
  await client.callTool({ name: 'basic__whoami', arguments: {} })
  await client.close()
  expect(server.seen.length).toBeGreaterThan(0)
  for (const canary of canaries) expect(JSON.stringify(server.seen)).not.toContain(canary)
})

test('a token that the server takes no longer is replaced while the call waits', async () => {
  const before = tokensSeenOf('post-client')
  server.forgetTokens()
  expect(await call('post__whoami')).toMatchObject({ isError: false })
  // The other names of this server may be asked for their lists meanwhile, with tokens of theirs.
  expect(tokensSeenOf('post-client').size).toBe(before.size + 1)
})

/** Every token that the server has been shown and that was made out to this client. */
function tokensSeenOf(client: string): ReadonlySet<string> {
  const shown = server.seen.flatMap(({ authorization }) => authorization?.replace('Bearer ', '') ?? [])
  return new Set(shown.filter((token) => decodeJwt(token)['client_id'] === client))
}

test('a call that needs another scope gets a token that has it, and keeps what there was', async () => {
  expect(await call('post__remember', { note: 'milk' })).toEqual({ text: 'kept', isError: false })
  expect((await call('post__whoami')).text).toContain('read write')
})

test('a server whose tokens are for somebody else says so, and no call of it runs', async () => {
  const failed = await until('why the server is not there', async () => (await statesOf()).find(({ state }) => state === 'failed'))
  expect(failed).toMatchObject({ detail: expect.stringContaining('refused the configured credential') as string })
})

test('while the authorization server is away, tokens that are good go on working; without one the reason is told', async () => {
  await call('basic__whoami')
  await issuer.goAway()
  try {
    expect(await call('basic__whoami')).toMatchObject({ isError: false })
    server.forgetTokens()
    const refused = await call('signing__whoami').catch((error: unknown) => ({ text: String(error), isError: true }))
    expect(refused.isError).toBe(true)
    expect(refused.text).toContain('cannot be reached')
    expect(refused.text).not.toContain(secret)
  } finally {
    await issuer.comeBack()
  }
  await until('the server is asked again', async () => {
    const again = await call('signing__whoami').catch(() => undefined)
    return again?.isError === false ? again : undefined
  })
})

test('neither the log nor the decisions have a secret in them', async () => {
  const records = JSON.stringify(await gateway.turnRecords())
  const tokens = server.seen.flatMap(({ authorization }) => (authorization === undefined ? [] : [authorization.slice('Bearer '.length)]))
  expect(tokens.length).toBeGreaterThan(0)
  for (const each of [secret, ...tokens, privateKey.split('\n')[1] ?? '']) {
    expect(gateway.logs()).not.toContain(each)
    expect(records).not.toContain(each)
  }
})
