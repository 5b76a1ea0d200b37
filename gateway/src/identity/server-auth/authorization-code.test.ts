import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { configSchema } from '@turnward/contract/config'
import type { McpServer } from '../../config/snapshot.ts'
import { LinkDeclined } from '../on-behalf/link-engine.ts'
import { AuthorizationCode } from './authorization-code.ts'
import type { Challenge, ServerAuthOf } from './auth-kind.ts'
import { ClientRegistrations, type RegistrationStore } from './client-registration.ts'
import { issuerDocument, startScripted, type Scripted } from './scripted-issuer.fixture.ts'

const redirectUri = 'http://127.0.0.1:8080/connect/-/return'
const signal = AbortSignal.timeout(20_000)

interface Setting {
  /** What differs in the metadata of the authorization server. */
  readonly issuer?: Readonly<Record<string, unknown>>
  readonly scopesSupported?: readonly string[]
  readonly auth?: Readonly<Record<string, unknown>>
  readonly challenge?: Partial<Challenge>
  readonly token?: Readonly<Record<string, unknown>>
  readonly tokenStatus?: number
  /** What is answered when a token is taken back. */
  readonly revoked?: { readonly status: number; readonly body: unknown }
  /** What was registered before. */
  readonly kept?: Map<string, string>
}

/** A server, its authorization server at the same origin below `/as`, and the gateway's way to it. */
async function setUp({
  issuer: differing,
  scopesSupported,
  auth: said,
  challenge,
  token,
  tokenStatus,
  revoked,
  kept = new Map<string, string>(),
}: Setting = {}) {
  let registered = 0
  const there: Scripted = await startScripted(({ path }) => {
    const as = `${there.origin}/as`
    if (path === '/.well-known/oauth-protected-resource/mcp')
      return { body: { resource: `${there.origin}/mcp`, authorization_servers: [as], scopes_supported: scopesSupported } }
    if (path === '/.well-known/oauth-authorization-server/as') return { body: issuerDocument(as, differing) }
    if (path === '/as/register')
      return {
        status: 201,
        body: { client_id: `client-${++registered}`, client_secret: 'given-out', token_endpoint_auth_method: 'client_secret_post' },
      }
    if (path === '/as/revoke') return revoked ?? { body: {} }
    if (path === '/as/token')
      return {
        status: tokenStatus ?? 200,
        body: token ?? { access_token: 'at-1', refresh_token: 'rt-1', token_type: 'Bearer', expires_in: 60 },
        headers: { 'cache-control': 'no-store' },
      }
    return undefined
  })
  const config = configSchema.parse({ servers: { notes: { transport: 'http', url: `${there.origin}/mcp` } } }).servers.notes
  if (config?.transport !== 'http') throw new Error('no server')
  const auth = {
    kind: 'user',
    clients: [],
    registration: ['cimd', 'dcr'],
    issuers: [],
    listing: 'shared',
    allow_http: true,
    allow_private: false,
    ...said,
  } as ServerAuthOf<'user'>
  const server: McpServer = { name: 'notes', config: { ...config, auth }, digest: 'd' }
  const store: RegistrationStore = {
    get: async (key) => kept.get(key),
    put: async (key, content) => void kept.set(key, content),
    remove: async (key) => void kept.delete(key),
  }
  const known =
    challenge === undefined
      ? undefined
      : { status: 401 as const, error: undefined, scope: undefined, resourceMetadata: undefined, ...challenge }
  const clock = { now: () => 1000 }
  const engine = new AuthorizationCode({
    registrations: new ClientRegistrations(store, clock),
    documentUrl: () => 'http://127.0.0.1:8080/.well-known/turnward-client.json',
    challengeOf: () => known,
    clock,
  })
  const begin = (scopes?: readonly string[]) => engine.begin({ server, auth, scopes, state: 'state-1', redirectUri, signal })
  const began = async (scopes?: readonly string[]) => {
    const begun = await begin(scopes)
    return { ...begun, query: new URL(begun.url).searchParams }
  }
  return { there, engine, server, began, kept, as: `${there.origin}/as`, [Symbol.asyncDispose]: () => there[Symbol.asyncDispose]() }
}

const form = (body: string | undefined) => Object.fromEntries(new URLSearchParams(body ?? ''))

test('a person goes with PKCE and the name of the server, and what comes back is a token for that server', async () => {
  await using here = await setUp({ scopesSupported: ['read', 'write'] })
  const { query, pending, host } = await here.began()
  expect(host).toBe(new URL(here.as).host)
  expect(Object.fromEntries(query)).toMatchObject({
    response_type: 'code',
    client_id: 'client-1',
    redirect_uri: redirectUri,
    state: 'state-1',
    code_challenge_method: 'S256',
    resource: `${here.there.origin}/mcp`,
    scope: 'read write',
  })
  const tokens = await here.engine.finish(
    JSON.parse(JSON.stringify(pending)) as typeof pending,
    new URLSearchParams({ code: 'c-1' }),
    signal,
  )
  expect(tokens).toMatchObject({ access: 'at-1', refresh: 'rt-1', expires: 61_000, scope: 'read write' })
  const [sent] = here.there.at('/as/token')
  const { code_verifier: verifier = '', ...rest } = form(sent?.body)
  expect(createHash('sha256').update(verifier).digest('base64url')).toBe(query.get('code_challenge'))
  expect(rest).toMatchObject({
    grant_type: 'authorization_code',
    code: 'c-1',
    redirect_uri: redirectUri,
    resource: `${here.there.origin}/mcp`,
  })
  expect(JSON.stringify(tokens.renewal)).not.toMatch(/given-out|at-1|rt-1/)
})

describe('nobody is sent to an authorization server', () => {
  test.each([
    ['that does not say that it checks PKCE', { code_challenge_methods_supported: undefined }, 'PKCE'],
    ['that knows only plain PKCE', { code_challenge_methods_supported: ['plain'] }, 'PKCE'],
    ['whose page is no page', { authorization_endpoint: 'javascript:alert(1)' }, 'no browser is sent to'],
    ['whose page is elsewhere over http', { authorization_endpoint: 'http://as.example/authorize' }, 'no browser is sent to'],
    ['that has no page', { authorization_endpoint: undefined }, 'no page'],
    ['at which nobody can register', { registration_endpoint: undefined }, 'name it under `clients`'],
  ])('%s', async (_what, issuer, why) => {
    await using here = await setUp({ issuer })
    await expect(here.began()).rejects.toMatchObject({ code: 'mcp.no_credential', why: expect.stringContaining(why) as string })
  })
})

describe('scopes', () => {
  const scope = async (setting: Setting, more?: readonly string[]): Promise<string | null> => {
    await using here = await setUp(setting)
    return (await here.began(more)).query.get('scope')
  }
  const supported = { scopesSupported: ['a', 'b'] }

  test('are those the server asked for, else all it knows, else none', async () => {
    expect(await scope({ ...supported, challenge: { scope: 'a' } })).toBe('a')
    expect(await scope(supported)).toBe('a b')
    expect(await scope({})).toBeNull()
  })

  test('that are configured, or that a person has to agree to now, count before all others', async () => {
    expect(await scope({ ...supported, challenge: { scope: 'a' }, auth: { scopes: ['c'] } })).toBe('c')
    expect(await scope({ ...supported, auth: { scopes: ['c'] } }, ['c', 'd'])).toBe('c d')
  })

  test('have `offline_access` only where the authorization server knows it', async () => {
    expect(await scope({ ...supported, issuer: { scopes_supported: ['offline_access'] } })).toBe('a b offline_access')
    expect(await scope({ ...supported, issuer: { scopes_supported: ['a'] } })).toBe('a b')
  })
})

describe('as which client', () => {
  const document = 'https://turnward.example/client.json'

  test('one that was registered beforehand goes before all others', async () => {
    await using here = await setUp({ issuer: { client_id_metadata_document_supported: true } })
    const auth = { clients: [{ issuer: here.as, id: 'by-hand', secret: 'said' }], client_metadata_url: document }
    const config = { ...here.server.config, auth: { ...here.server.config.auth, ...auth } } as McpServer['config']
    const { pending, url } = await here.engine.begin({
      server: { ...here.server, config },
      auth: { ...(here.server.config.auth as ServerAuthOf<'user'>), ...auth },
      scopes: undefined,
      state: 's',
      redirectUri,
      signal,
    })
    expect(new URL(url).searchParams.get('client_id')).toBe('by-hand')
    await here.engine.finish(pending, new URLSearchParams({ code: 'c' }), signal)
    const [sent] = here.there.at('/as/token')
    expect(sent?.headers.authorization).toBe(`Basic ${Buffer.from('by-hand:said').toString('base64')}`)
    expect(here.there.at('/as/register')).toEqual([])
  })

  test('the address of its document, where both sides can do that', async () => {
    await using able = await setUp({ issuer: { client_id_metadata_document_supported: true }, auth: { client_metadata_url: document } })
    expect((await able.began()).query.get('client_id')).toBe(document)
    await using unable = await setUp({ auth: { client_metadata_url: document } })
    expect((await unable.began()).query.get('client_id')).toBe('client-1')
    // A document at an address of this machine is of no use to others.
    await using local = await setUp({ issuer: { client_id_metadata_document_supported: true } })
    expect((await local.began()).query.get('client_id')).toBe('client-1')
  })

  test('registers once, says what it is, and is asked for a secret the way it was told', async () => {
    await using here = await setUp({ issuer: { token_endpoint_auth_methods_supported: ['client_secret_post'] } })
    await Promise.all([here.began(), here.began(), here.began()])
    const { pending } = await here.began()
    const registrations = here.there.at('/as/register')
    expect(registrations).toHaveLength(1)
    expect(JSON.parse(registrations[0]?.body ?? '')).toMatchObject({
      redirect_uris: [redirectUri],
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_post',
    })
    await here.engine.finish(pending, new URLSearchParams({ code: 'c' }), signal)
    expect(form(here.there.at('/as/token')[0]?.body)).toMatchObject({ client_id: 'client-1', client_secret: 'given-out' })
  })

  test('is at each authorization server the one that this one gave out: a server that moves to another one is registered anew', async () => {
    const kept = new Map<string, string>()
    await using one = await setUp({ kept })
    await one.began()
    await using other = await setUp({ kept })
    await other.began()
    expect(other.there.at('/as/register')).toHaveLength(1)
    await one.began()
    expect(one.there.at('/as/register')).toHaveLength(1)
  })

  test('registers anew where it is known no longer', async () => {
    await using here = await setUp({ token: { error: 'invalid_client' }, tokenStatus: 400 })
    const { pending } = await here.began()
    await expect(here.engine.finish(pending, new URLSearchParams({ code: 'c' }), signal)).rejects.toMatchObject({
      code: 'mcp.no_credential',
    })
    expect((await here.began()).query.get('client_id')).toBe('client-2')
  })
})

describe('what a browser brings back', () => {
  test.each([
    ['another issuer', (as: string) => ({ code: 'c', iss: `${as}/evil` })],
    ['the issuer with a slash', (as: string) => ({ code: 'c', iss: `${as}/` })],
    ['the issuer in other case', (as: string) => ({ code: 'c', iss: as.replace('http', 'HTTP') })],
    ['an error of another issuer', () => ({ error: 'access_denied', iss: 'https://evil.example' })],
    ['no code', () => ({})],
  ])('with %s ends there: the code is shown to nobody', async (_what, answer) => {
    await using here = await setUp()
    const { pending } = await here.began()
    await expect(here.engine.finish(pending, new URLSearchParams(answer(here.as)), signal)).rejects.toMatchObject({
      code: 'mcp.no_credential',
    })
    expect(here.there.at('/as/token')).toEqual([])
  })

  test('must name the issuer where that says that it does', async () => {
    await using here = await setUp({ issuer: { authorization_response_iss_parameter_supported: true } })
    const { pending } = await here.began()
    await expect(here.engine.finish(pending, new URLSearchParams({ code: 'c' }), signal)).rejects.toThrow('did not name itself')
    await expect(here.engine.finish(pending, new URLSearchParams({ code: 'c', iss: here.as }), signal)).resolves.toMatchObject({
      access: 'at-1',
    })
  })

  test('twice the same is nothing that can be relied on', async () => {
    await using here = await setUp()
    const { pending } = await here.began()
    await expect(here.engine.finish(pending, new URLSearchParams('code=a&code=b'), signal)).rejects.toThrow('more than one')
  })

  test('may be a refusal, of which only the code is told', async () => {
    await using here = await setUp()
    const { pending } = await here.began()
    const refused = here.engine.finish(pending, new URLSearchParams({ error: 'access_denied', error_description: 'hello' }), signal)
    await expect(refused).rejects.toEqual(new LinkDeclined('access_denied'))
  })
})

describe('tokens that end', () => {
  const old = (here: Awaited<ReturnType<typeof setUp>>) => ({
    access: 'at-0',
    refresh: 'rt-0',
    scope: 'read',
    renewal: { issuer: here.as, tokenEndpoint: `${here.as}/token`, client: 'client-1', redirectUri, resource: `${here.there.origin}/mcp` },
  })

  test('are renewed as the client they were given to, for the same server', async () => {
    await using here = await setUp({ token: { access_token: 'at-2', token_type: 'bearer' } })
    await here.began()
    const renewed = await here.engine.renew(here.server, old(here), signal)
    // Who gives no new refresh token means the old one.
    expect(renewed).toMatchObject({ access: 'at-2', refresh: 'rt-0', scope: 'read' })
    expect(form(here.there.at('/as/token')[0]?.body)).toMatchObject({
      grant_type: 'refresh_token',
      refresh_token: 'rt-0',
      resource: `${here.there.origin}/mcp`,
      client_secret: 'given-out',
    })
  })

  test('of a client that is known no longer are of no use, and are shown to nobody', async () => {
    await using here = await setUp()
    await expect(here.engine.renew(here.server, old(here), signal)).rejects.toMatchObject({ reason: 'invalid_grant' })
    expect(here.there.at('/as/token')).toEqual([])
  })

  test('what an authorization server says of them is told by its code alone', async () => {
    await using here = await setUp({ token: { error: 'invalid_grant', error_description: 'rt-0 was used' }, tokenStatus: 400 })
    await here.began()
    const refused = here.engine.renew(here.server, old(here), signal)
    await expect(refused).rejects.toMatchObject({ reason: 'invalid_grant' })
    await refused.catch((error: Error) => expect(error.message).not.toContain('rt-0'))
  })

  describe('before their time', () => {
    const offered = (here: string) => ({ revocation_endpoint: `${here}/revoke` })
    const offering = async (setting: Setting = {}) => {
      const here = await setUp(setting)
      const answers = here.there.answers
      here.there.answers = (seen) =>
        seen.path === '/.well-known/oauth-authorization-server/as' ? { body: issuerDocument(here.as, offered(here.as)) } : answers(seen)
      await here.began()
      return here
    }

    test('are taken back where that is offered, what renews them first, as the client they were given to (RFC 7009)', async () => {
      await using here = await offering()
      expect(await here.engine.revoke(here.server, old(here), signal)).toBe(true)
      expect(here.there.at('/as/revoke').map(({ body }) => form(body))).toEqual([
        expect.objectContaining({ token: 'rt-0', token_type_hint: 'refresh_token', client_id: 'client-1', client_secret: 'given-out' }),
        expect.objectContaining({ token: 'at-0', token_type_hint: 'access_token' }),
      ])
    })

    test('stay where it is not offered, and where it is refused, which is told by its code alone', async () => {
      await using here = await setUp()
      await here.began()
      expect(await here.engine.revoke(here.server, old(here), signal)).toBe(false)
      await using refusing = await offering({ revoked: { status: 400, body: { error: 'server_error', error_description: 'rt-0' } } })
      const refused = refusing.engine.revoke(refusing.server, old(refusing), signal)
      await expect(refused).rejects.toMatchObject({ reason: 'server_error', message: 'server_error' })
    })

    test('are taken back through what renews them where access tokens are not taken back by themselves', async () => {
      await using here = await offering({ revoked: { status: 400, body: { error: 'unsupported_token_type' } } })
      const { refresh: _refresh, ...bare } = old(here)
      expect(await here.engine.revoke(here.server, bare, signal)).toBe(true)
      await expect(here.engine.revoke(here.server, old(here), signal)).rejects.toMatchObject({ reason: 'unsupported_token_type' })
    })
  })
})
