/** A strict relying party against the authorization server: keys instead of secrets, pushed requests, bound tokens, rotation, and a client that is a document. */
import { createServer as createSecureServer, type Server } from 'node:https'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { decodeJwt, exportJWK, generateKeyPair } from 'jose'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeAuthority } from '../harness/certificates.ts'
import { ScriptedBrowser } from '../harness/scripted-browser.ts'
import { clientMemory } from './mcp-client-memory.ts'
import { startCallback, startSignInPlace, type CallbackPlace, type SignInPlace } from './sign-in-place.ts'

/** What was sent over the wire, so that it can be sent again. */
interface Sent {
  readonly url: string
  readonly init: RequestInit
}

let place: SignInPlace
let callback: CallbackPlace
let documents: Server
let documentOrigin: string
let folder: string
let keys: Awaited<ReturnType<typeof generateKeyPair>>
const served = new Map<string, object>()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnward-strict-'))
  callback = await startCallback()
  keys = await generateKeyPair('ES256')
  const jwks = { keys: [{ ...(await exportJWK(keys.publicKey)), alg: 'ES256' }] }
  const authority = makeAuthority()
  await writeFile(join(folder, 'authority.pem'), authority.cert)
  documents = createSecureServer(authority.issue(['localhost', '127.0.0.1']), (request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(served.get(request.url ?? '') ?? {}))
  })
  await new Promise<void>((resolve) => documents.listen(0, '127.0.0.1', resolve))
  documentOrigin = `https://localhost:${(documents.address() as AddressInfo).port}`
  place = await startSignInPlace({
    oauth: {
      registration: { cimd_private_hosts: ['localhost'] },
      clients: {
        portal: { name: 'Portal', redirect_uris: ['http://127.0.0.1/callback'], jwks },
        worker: { grant: 'client_credentials', principal: 'ci', jwks },
        terminal: { grants: ['device_code', 'refresh_token'] },
      },
    },
    parts: { principals: { ci: { kind: 'workload' } } },
    env: { NODE_EXTRA_CA_CERTS: join(folder, 'authority.pem') },
  })
  place.governed.answer({ text: 'Hello.' })
  place.idp.signsIn('alice')
})
afterAll(async () => {
  await place?.[Symbol.asyncDispose]()
  await callback?.[Symbol.asyncDispose]()
  documents?.closeAllConnections()
  await new Promise((resolve) => documents?.close(resolve))
  await rm(folder, { recursive: true, force: true })
})

/** A client that discovers the server; `key` null: a public one. */
async function party(id: string, key: typeof keys.privateKey | null = keys.privateKey) {
  const auth = key === null ? openid.None() : openid.PrivateKeyJwt(key)
  const options: openid.DiscoveryRequestOptions = { algorithm: 'oauth2', execute: [openid.allowInsecureRequests] }
  const config = await openid.discovery(new URL(place.url), id, { token_endpoint_auth_signing_alg: 'ES256' }, auth, options)
  const sent: Sent[] = []
  config[openid.customFetch] = (url, init) => {
    sent.push({ url, init: init as RequestInit })
    return fetch(url, init as RequestInit)
  }
  return { config, sent }
}

const again = ({ url, init }: Sent, changed: RequestInit = {}) => fetch(url, { ...init, ...changed })

async function allowed(address: URL): Promise<URL> {
  const browser = new ScriptedBrowser()
  await browser.open(address.href)
  await browser.send('Allow', { decision: 'allow' })
  return new URL(browser.page.url)
}

/** Pushes a request, has it allowed, and exchanges the code, all with one key for proofs. */
async function signedIn({ config }: { readonly config: openid.Configuration }, resource = place.url) {
  const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
  const pkceCodeVerifier = openid.randomPKCECodeVerifier()
  const expectedState = openid.randomState()
  const parameters = {
    redirect_uri: callback.redirectUri,
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    resource,
  }
  const address = await openid.buildAuthorizationUrlWithPAR(config, parameters, { DPoP })
  expect([...address.searchParams.keys()].toSorted()).toEqual(['client_id', 'request_uri'])
  const tokens = await openid.authorizationCodeGrant(config, await allowed(address), { pkceCodeVerifier, expectedState }, {}, { DPoP })
  return { DPoP, tokens }
}

const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
const question = JSON.stringify({ model: 'gpt-test', messages: [{ role: 'user', content: 'Hello' }] })
const initialize = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
})

describe('a party with a key', () => {
  test('signs a person in by a pushed request, and its tokens are replaced with each use and end when they are revoked', async () => {
    const portal = await party('portal')
    expect(portal.config.serverMetadata()).toMatchObject({
      authorization_response_iss_parameter_supported: true,
      code_challenge_methods_supported: ['S256'],
      dpop_signing_alg_values_supported: expect.arrayContaining(['ES256']),
    })
    const { DPoP, tokens } = await signedIn(portal)
    expect([tokens.token_type, decodeJwt(tokens.access_token)['cnf']]).toEqual(['dpop', { jkt: expect.any(String) }])
    const first = tokens.refresh_token ?? ''
    const { refresh_token: second = '' } = await openid.refreshTokenGrant(portal.config, first, {}, { DPoP })
    expect(second).not.toBe(first)
    await openid.tokenRevocation(portal.config, second)
    await expect(openid.refreshTokenGrant(portal.config, second, {}, { DPoP })).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  test('shows each assertion of its key once', async () => {
    const worker = await party('worker')
    const { access_token: token } = await openid.clientCredentialsGrant(worker.config, { resource: `${place.url}/v1` })
    expect(decodeJwt(token)).toMatchObject({ sub: 'ci', client_id: 'worker', aud: `${place.url}/v1` })
    const asked = worker.sent.find(({ url }) => url.endsWith('/oauth/token'))
    if (asked === undefined) throw new Error('no token was asked for')
    expect(await (await again(asked)).json()).toMatchObject({ error: 'invalid_client' })
  })

  test('connects a device', async () => {
    const { config } = await party('terminal', null)
    const device = await openid.initiateDeviceAuthorization(config, { resource: `${place.url}/v1` })
    const browser = new ScriptedBrowser()
    await browser.open(device.verification_uri_complete ?? '')
    await browser.send('Go on')
    await browser.send('Go on', { confirm: 'yes' })
    await browser.send('Allow', { decision: 'allow' })
    expect(browser.page.title).toContain('Connected')
    const { access_token: token } = await openid.pollDeviceAuthorizationGrant(config, { ...device, interval: 0.01 })
    expect((await fetch(`${place.url}/v1/models`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
  })
})

test.each([
  ['the model endpoint', '/v1/chat/completions', question],
  ['the MCP endpoint', '/mcp/main', initialize],
])('a bound token is good at %s with a new proof for that request, and with nothing else', async (_where, path, body) => {
  const portal = await party('portal')
  const { DPoP, tokens } = await signedIn(portal)
  const ask = (method: string, address: string, handle = DPoP) =>
    openid.fetchProtectedResource(
      portal.config,
      tokens.access_token,
      new URL(address),
      method,
      method === 'GET' ? null : body,
      new Headers(json),
      { DPoP: handle },
    )
  expect((await ask('POST', `${place.url}${path}`)).status).toBe(200)
  const good = portal.sent.at(-1)
  if (good === undefined) throw new Error('nothing was sent')
  const headersWith = (changed: Readonly<Record<string, string | undefined>>): Headers => {
    const headers = new Headers(good.init.headers)
    for (const [name, value] of Object.entries(changed))
      if (value === undefined) headers.delete(name)
      else headers.set(name, value)
    return headers
  }
  const proofOf = (): string => new Headers(portal.sent.at(-1)?.init.headers).get('dpop') ?? ''

  const asked = place.governed.vendors.openai.requests.length
  expect((await again(good)).status, 'a proof that was shown before').toBe(401)
  expect((await again(good, { headers: headersWith({ dpop: undefined }) })).status, 'no proof').toBe(401)
  expect((await again(good, { headers: headersWith({ dpop: undefined, authorization: `Bearer ${tokens.access_token}` }) })).status).toBe(
    401,
  )
  await ask('GET', `${place.url}${path}`)
  expect((await again(good, { headers: headersWith({ dpop: proofOf() }) })).status, 'a proof for another method').toBe(401)
  await ask('GET', `${place.url}/v1/models`)
  expect((await again(good, { headers: headersWith({ dpop: proofOf() }) })).status, 'a proof for another address').toBe(401)
  const another = openid.getDPoPHandle(portal.config, await openid.randomDPoPKeyPair('ES256'))
  await expect(ask('POST', `${place.url}${path}`, another)).rejects.toThrow()
  expect(place.governed.vendors.openai.requests.length).toBe(asked)
  expect((await ask('POST', `${place.url}${path}`)).status).toBe(200)
})

describe('a client that is a document', () => {
  const documentAt = (path: string, changed: object = {}): string => {
    const address = `${documentOrigin}${path}`
    const redirect_uris = [callback.redirectUri]
    served.set(path, { client_id: address, client_name: 'Documented', redirect_uris, token_endpoint_auth_method: 'none', ...changed })
    return address
  }
  const endpoint = () => new URL(`${place.url}/mcp/main`)

  async function asking(clientMetadataUrl: string) {
    const auth = clientMemory({ redirectUrl: callback.redirectUri, clientMetadataUrl })
    const client = new Client({ name: 'official', version: '1.0.0' })
    await expect(client.connect(new StreamableHTTPClientTransport(endpoint(), { authProvider: auth }))).rejects.toThrow()
    expect(auth.asked?.searchParams.get('client_id')).toBe(clientMetadataUrl)
    return auth
  }

  test('is fetched, and shown with the host it comes from', async () => {
    const auth = await asking(documentAt('/client.json'))
    const { text } = await new ScriptedBrowser().open(auth.asked?.href ?? '')
    expect(text).toContain('Allow Documented?')
    expect(text).toContain(`It is known by a document at <strong>${new URL(documentOrigin).host}</strong>`)
  })

  test.each<[string, () => string]>([
    ['names another address', () => documentAt('/other.json', { client_id: 'https://localhost/client.json' })],
    ['is at an address that nobody named', () => documentAt('/client.json').replace('localhost', '127.0.0.1')],
    ['has a secret', () => documentAt('/secret.json', { client_secret: 'a-secret-that-everybody-can-read' })],
    ['leads elsewhere', () => documentAt('/elsewhere.json', { redirect_uris: ['https://elsewhere.example/callback'] })],
  ])('is not taken when it %s: the browser stays here', async (_what, address) => {
    const auth = await asking(address())
    const page = await new ScriptedBrowser().open(auth.asked?.href ?? '')
    expect([page.status, new URL(page.url).origin]).toEqual([400, place.url])
    expect(page.title).toContain('This cannot go on')
  })
})
