/** What a tool call goes out with, for whom: each kind of `servers.*.auth` that is a person's own, asked as connections ask. */
import { decodeJwt } from 'jose'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import { silentLogger } from '../../core/logger.ts'
import type { Caller } from '../../core/principal.ts'
import { SubjectToken } from '../../core/subject-token.ts'
import { testClock, testState, type TestClock } from '../../turns/state-and-clock.fixture.ts'
import type { CredentialQuery, Refusal, ServerAuthConfig, ServerAuthOf, ServerHeaders } from '../server-auth/auth-kind.ts'
import { createServerCredentials, type ServerCredentials } from '../server-auth/server-credentials.ts'
import { authKinds } from '../server-auth/auth-kinds.ts'
import { KnownChallenges } from '../server-auth/known-challenges.ts'
import { issuedKinds } from './issued-kinds.ts'
import { openTicket } from './link-ticket.ts'
import { Links } from './links.ts'
import { memoryVault } from './memory-vault.fixture.ts'
import { personHeaderKind } from './person-header-kind.ts'
import { personSecretKind } from './person-secret-kind.ts'
import { PersonTokens } from './person-tokens.ts'
import { StoredSecrets } from './stored-secrets.ts'
import { startTokenService, type TestTokenService } from './sts.fixture.ts'
import type { SignedInTokens } from './subject-source.ts'
import { userKind } from './user-kind.ts'

const secret = Buffer.alloc(32, 5)
let service: TestTokenService
let clock: TestClock
let links: Links
let secrets: StoredSecrets
let signedIn: Partial<Record<Parameters<SignedInTokens['of']>[2], string>>
let credentials: ServerCredentials
let renewed: number

beforeAll(async () => {
  service = await startTokenService()
})
afterAll(() => service[Symbol.asyncDispose]())
beforeEach(() => {
  clock = testClock()
  service.answersWith = undefined
  const vault = memoryVault()
  renewed = 0
  signedIn = {}
  const state = testState(clock)
  const renew = async () => ({ access: `renewed-${(renewed += 1)}`, refresh: 'r', renewal: {} })
  links = new Links({ vault, state, clock, logger: silentLogger, renew, pause })
  secrets = new StoredSecrets(vault, clock)
  const places = { publicUrl: () => 'https://turnward.example', now: () => clock.now(), secret }
  const personal = {
    user: userKind(links, places),
    person_header: personHeaderKind(secrets, places),
    person_secret: personSecretKind(secrets, places),
    ...issuedKinds({
      tokens: new PersonTokens(() => clock.now()),
      signedIn: { of: async (_person, _issuer, type) => signedIn[type] },
      issuerAt: async () => service.endpoint,
      authorizationOf: async () => ({ endpoint: service.believer, resource: 'https://crm.example/mcp' }),
      now: () => clock.now(),
      secret,
    }),
  }
  const challenges = new KnownChallenges()
  credentials = createServerCredentials(authKinds({ challengeOf: challenges.of, clock }, personal), challenges)
})

type Auth = { [K in ServerAuthConfig['kind']]: Partial<ServerAuthOf<K>> & { kind: K } }[ServerAuthConfig['kind']]
const serverWith = (auth: Auth): McpServer =>
  ({
    name: 'crm',
    digest: JSON.stringify(auth),
    config: { transport: 'http', url: 'https://crm.example/mcp', auth },
  }) as unknown as McpServer
const callerOf = (id: string, parts: Partial<Caller> = {}): Caller =>
  ({
    principal: { id, kind: 'human' },
    key: 'tok_1',
    consumer: null,
    actor: null,
    actors: [],
    issuer: 'acme',
    ...parts,
  }) as unknown as Caller
/** A caller who came with a token of the issuer. */
const withToken = async (id: string, claims: object = {}): Promise<Caller> =>
  callerOf(id, { subject: new SubjectToken('acme', await service.token({ sub: id, aud: 'turnward', ...claims })) })

const query = (server: McpServer, caller: Caller | undefined, refusal?: Refusal): CredentialQuery => ({
  snapshot: {} as Snapshot,
  server,
  caller,
  refusal,
  signal: new AbortController().signal,
})
const ask = (server: McpServer, caller: Caller | undefined, refusal?: Refusal) => credentials.headersFor(query(server, caller, refusal))
const tokenOf = (headers: ServerHeaders | undefined): string => (headers?.headers.authorization ?? '').replace('Bearer ', '')
const refused = (
  headers: ServerHeaders | undefined,
  status: 401 | 403,
  challenge: Partial<Refusal['challenge']> = {},
  before = 0,
): Refusal => ({
  challenge: { status, error: undefined, scope: undefined, resourceMetadata: undefined, ...challenge },
  headers: headers ?? { headers: {} },
  before,
})

const personal: readonly Auth[] = [
  { kind: 'user' },
  { kind: 'person_header', header: 'x-key', format: '{secret}' },
  { kind: 'exchange', issuer: 'acme', audience: 'crm', token_type: 'access_token' },
  { kind: 'entra_obo', issuer: 'acme', scopes: ['api://crm/.default'] },
  { kind: 'id_jag', issuer: 'acme' },
]

describe.each(personal)('kind: $kind', (auth) => {
  const server = serverWith(auth)

  test('has a connection and a credential for each person, whose ids say nothing of who it is', async () => {
    const [alice, bob] = [callerOf('alice'), callerOf('bob')]
    expect(credentials.scopeOf(server, alice)).not.toBe(credentials.scopeOf(server, bob))
    const ids = [alice, bob].map((caller) => credentials.credentialOf(server, caller))
    expect(ids[0]).not.toBe(ids[1])
    expect(ids[0]).toMatch(/^[a-z_]+:crm:[\w-]{10}$/)
    expect(credentials.credentialOf(server, alice)).toBe(ids[0])
    expect(ids.join()).not.toMatch(/alice|bob/)
  })

  test('shows a server nothing where the gateway itself asks what there is', async () => {
    expect(await ask(server, undefined)).toEqual({ headers: {} })
    expect(await ask(server, undefined, refused(undefined, 401))).toBeUndefined()
    expect(credentials.scopeOf(server, undefined)).toBeUndefined()
  })

  test('sends a workload away that has nothing of its own, in words of what would do', async () => {
    const workload = callerOf('ci', { principal: { id: 'ci', kind: 'workload' } as Caller['principal'], issuer: null })
    const error: unknown = await ask(server, workload).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'mcp.person_needed', status: 403 })
    expect(String(error)).not.toContain('/connect/')
  })
})

describe('an account of a person', () => {
  const server = serverWith({ kind: 'user', scopes: ['read'] })
  const tokens = (name: string, scope = 'read') => ({ access: name, refresh: 'r', scope, expires: clock.now() + 3_600_000, renewal: {} })

  test('goes out with that person’s calls and nobody else’s', async () => {
    await links.keep('alice', server, tokens('alices'))
    await links.keep('bob', server, tokens('bobs'))
    expect((await ask(server, callerOf('alice')))?.headers).toEqual({ authorization: 'Bearer alices' })
    expect((await ask(server, callerOf('bob', { issuer: null })))?.headers).toEqual({ authorization: 'Bearer bobs' })
  })

  test('is asked for with a link for exactly that person', async () => {
    const error = (await ask(server, callerOf('alice')).catch((thrown: unknown) => thrown)) as Error & { details: { url: string } }
    expect(error).toMatchObject({ code: 'mcp.link_needed' })
    const url = new URL(error.details.url)
    expect(error.message).toContain(`Show the person this link and ask them to open it: ${url.href}`)
    expect(url.origin + url.pathname).toBe('https://turnward.example/connect/crm')
    expect(openTicket(secret, url.searchParams.get('for') ?? '', clock.now())).toMatchObject({ person: 'alice', server: 'crm' })
  })

  test('whose token is not taken any more is renewed, and asked for anew when that does not help', async () => {
    await links.keep('alice', server, tokens('old'))
    const first = await ask(server, callerOf('alice'))
    const second = await ask(server, callerOf('alice'), refused(first, 401, { error: 'invalid_token' }))
    expect(tokenOf(second)).toBe('renewed-1')
    await expect(ask(server, callerOf('alice'), refused(second, 401, {}, 1))).rejects.toMatchObject({ code: 'mcp.link_needed' })
    expect(renewed).toBe(1)
  })

  test('that may not do something is asked to allow it, together with what it may already', async () => {
    await links.keep('alice', server, tokens('a', 'read profile'))
    const first = await ask(server, callerOf('alice'))
    const refusal = refused(first, 403, { error: 'insufficient_scope', scope: 'write' })
    const error = (await ask(server, callerOf('alice'), refusal).catch((thrown: unknown) => thrown)) as { details: { url: string } }
    const ticket = openTicket(secret, new URL(error.details.url).searchParams.get('for') ?? '', clock.now())
    expect(ticket?.scopes).toEqual(['read', 'profile', 'write'])
    // All that is wanted was agreed to already: the same consent again would change nothing.
    expect(await ask(server, callerOf('alice'), refused(first, 403, { error: 'insufficient_scope', scope: 'read' }))).toBeUndefined()
    // Nor is anybody asked who has agreed since the request went out.
    await links.keep('alice', server, tokens('more', 'read profile write'))
    expect(tokenOf(await ask(server, callerOf('alice'), refusal))).toBe(tokens('more', '').access)
    // A refusal for another reason is the server's answer.
    expect(await ask(server, callerOf('alice'), refused(first, 403))).toBeUndefined()
  })
})

describe('a secret of a person', () => {
  const server = serverWith({ kind: 'person_header', header: 'X-Api-Key', format: 'key {secret}' })

  test('stands in its header, as it was stored', async () => {
    await secrets.keep('alice', server, '$& $1')
    expect((await ask(server, callerOf('alice')))?.headers).toEqual({ 'x-api-key': 'key $& $1' })
  })

  test('is asked for where there is none, and where the server does not take it', async () => {
    await expect(ask(server, callerOf('alice'))).rejects.toMatchObject({ code: 'mcp.link_needed' })
    await secrets.keep('alice', server, 's')
    const sent = await ask(server, callerOf('alice'))
    await expect(ask(server, callerOf('alice'), refused(sent, 401))).rejects.toMatchObject({ code: 'mcp.link_needed' })
  })

  test('is shown to no other address', async () => {
    await secrets.keep('alice', server, 's')
    const moved = { ...server, config: { ...server.config, url: 'https://elsewhere.example/mcp' } } as McpServer
    await expect(ask(moved, callerOf('alice'))).rejects.toMatchObject({ code: 'mcp.link_needed' })
  })
})

describe('an exchanged token', () => {
  const exchange = serverWith({ kind: 'exchange', issuer: 'acme', audience: 'crm', token_type: 'access_token', scopes: ['read'] })
  const onBehalf = serverWith({ kind: 'entra_obo', issuer: 'acme', scopes: ['api://crm/.default'] })
  const assertion = serverWith({ kind: 'id_jag', issuer: 'acme', scopes: ['read'] })

  test('is the person’s, for the server, and never what the caller came with', async () => {
    const alice = await withToken('alice', { act: { sub: 'agent' } })
    const token = tokenOf(await ask(exchange, alice))
    expect(decodeJwt(token)).toMatchObject({ sub: 'alice', aud: ['crm'], act: { sub: 'turnward', act: { sub: 'agent' } } })
    expect(token).not.toBe(alice.subject?.revealTo('acme'))
  })

  test('is asked for once by fifty calls, and again when the server does not take it', async () => {
    const alice = await withToken('alice')
    const before = service.asked.length
    const all = await Promise.all(Array.from({ length: 50 }, () => ask(exchange, alice)))
    expect(new Set(all.map(tokenOf)).size).toBe(1)
    expect(service.asked.length).toBe(before + 1)
    await Promise.all(all.map((sent) => ask(exchange, alice, refused(sent, 401))))
    expect(service.asked.length).toBe(before + 2)
    expect(await ask(exchange, alice, refused(all[0], 401, {}, 1))).toBeUndefined()
  })

  test('names a resource instead of an audience, unless it is told otherwise', async () => {
    const alice = await withToken('alice')
    await ask(serverWith({ kind: 'exchange', issuer: 'acme', token_type: 'access_token' }), alice)
    expect(service.asked.at(-1)?.get('resource')).toBe('https://crm.example/mcp')
    await ask(exchange, alice)
    expect(service.asked.at(-1)?.has('resource')).toBe(false)
  })

  test('has the scopes that the server asks for, where its configuration leaves them to it', async () => {
    const open = serverWith({ kind: 'exchange', issuer: 'acme', audience: 'crm', token_type: 'access_token' })
    const alice = await withToken('alice')
    const first = await ask(open, alice)
    const second = await ask(open, alice, refused(first, 403, { error: 'insufficient_scope', scope: 'write' }))
    expect(decodeJwt(tokenOf(second)).scope).toBe('write')
    expect(tokenOf(await ask(open, alice))).toBe(tokenOf(second))
    const sent = await ask(exchange, alice)
    expect(await ask(exchange, alice, refused(sent, 403, { error: 'insufficient_scope', scope: 'write' }))).toBeUndefined()
  })

  test.each([
    ['a virtual key', callerOf('alice', { issuer: null }), 'a virtual key says who calls'],
    ['the token of another issuer', callerOf('alice', { subject: new SubjectToken('other', 'x.y.z') }), 'is of `other`'],
  ])('is not had for %s, and what would do is said', async (_what, caller, why) => {
    const before = service.asked.length
    const error: unknown = await ask(exchange, caller).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'mcp.person_needed' })
    expect(String(error)).toContain(why)
    expect(String(error)).toContain('Call with a token of `acme`')
    expect(service.asked.length).toBe(before)
  })

  test('comes of what signing in has left, for a person who came without a token of the issuer', async () => {
    signedIn = {
      access_token: await service.token({ sub: 'alice' }),
      id_token: await service.token({ sub: 'alice', nonce: 'n' }, 'JWT'),
    }
    expect(decodeJwt(tokenOf(await ask(exchange, callerOf('alice', { issuer: 'turnward' })))).sub).toBe('alice')
    expect(service.asked.at(-1)?.get('subject_token')).toBe(signedIn.access_token)
    await ask(assertion, callerOf('alice', { issuer: 'turnward' }))
    expect(service.asked.at(-2)?.get('subject_token')).toBe(signedIn.id_token)
  })

  test('of an assertion is not had for an access token: that is no ID token', async () => {
    await expect(ask(assertion, await withToken('alice'))).rejects.toMatchObject({ code: 'mcp.person_needed' })
  })

  test('is not had for an ID token that was shown', async () => {
    await expect(ask(exchange, await withToken('alice', { nonce: 'n', at_hash: 'h' }))).rejects.toMatchObject({ code: 'mcp.person_needed' })
  })

  test('on behalf of a person is not had for an application’s token, whoever it is taken for', async () => {
    await expect(ask(onBehalf, await withToken('alice', { idtyp: 'app' }))).rejects.toMatchObject({ code: 'mcp.person_needed' })
    expect(decodeJwt(tokenOf(await ask(onBehalf, await withToken('alice')))).sub).toBe('alice')
  })

  test('that wants more of the person is asked for in plain words', async () => {
    service.answersWith = () => ({
      status: 400,
      body: { error: 'interaction_required', error_description: 'AADSTS50076: MFA', claims: '{}' },
    })
    const error: unknown = await ask(onBehalf, await withToken('alice')).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'mcp.person_needed' })
    expect(String(error)).toContain('wants more of the person than this token shows (`interaction_required (AADSTS50076)`)')
    expect(String(error)).toContain('Sign in with `acme` again')
  })

  test.each([
    ['invalid_client', 'Check `identity.issuers.acme.client`'],
    ['invalid_target', 'Check `servers.crm.auth`'],
  ])('that is refused with %s is the administrator’s business', async (error, fix) => {
    service.answersWith = () => ({ status: 400, body: { error } })
    const told: unknown = await ask(exchange, await withToken('alice')).catch((thrown: unknown) => thrown)
    expect(told).toMatchObject({ code: 'mcp.no_credential' })
    expect(String(told)).toContain(fix)
  })

  test('of one person that was refused leaves another’s alone', async () => {
    const bad = callerOf('alice', { subject: new SubjectToken('acme', 'not.a.token') })
    const good = await withToken('bob')
    const [alices, bobs] = await Promise.allSettled([ask(exchange, bad), ask(exchange, good)])
    expect([alices?.status, bobs?.status]).toEqual(['rejected', 'fulfilled'])
  })
})
