/**
 * Tokens that an issuer gives for what a person has, with everything real but the company: exchange, Entra's on-behalf-of and
 * ID-JAG, two people, and servers that keep what every request showed. What an issuer refuses one person touches nobody else.
 */
import { ProtocolError } from '@modelcontextprotocol/client'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { freePort } from '../../scripts/services/free-port.ts'
import { entraPeople, startEntraTenant, type EntraTenant } from '../harness/entra-tenant.ts'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { startIdentityProvider, type IdentityProvider } from '../harness/identity-provider.ts'
import { PageBrowser } from '../harness/page-browser.ts'
import { startProtectedServer, type ProtectedServer } from '../harness/protected-server.ts'
import { until } from '../harness/until.ts'
import { connectClient, textOf } from './official-client.ts'

const people = ['alice', 'bob'] as const
type Person = (typeof people)[number]
const atWiki = { client_id: 'turnward-at-wiki', client_secret: 'secret-of-the-gateway-at-the-wiki-0123456789' }
const agent = { id: 'agent', secret: 'secret-of-the-client-agent-0123456' }
const bearerGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'

let idp: IdentityProvider
let believer: IdentityProvider
let entra: EntraTenant
let crm: ProtectedServer
let ledger: ProtectedServer
let graph: ProtectedServer
let wiki: ProtectedServer
let gateway: RunningGateway
/** Whatever the gateway was shown, or was given for somebody, and never lets anybody see. */
const secrets = new Set<string>([atWiki.client_secret, agent.secret])
/** Keys of people, made once they are known. */
const keys = new Map<Person, string>()

beforeAll(async () => {
  const port = await freePort()
  const own = `http://127.0.0.1:${port}`
  const believerPort = await freePort()
  const believes = `http://127.0.0.1:${believerPort}`
  idp = await startIdentityProvider({
    redirectUris: [`${own}/sign-in/acme/callback`],
    clientsElsewhere: { [believes]: atWiki.client_id },
  })
  believer = await startIdentityProvider({
    port: believerPort,
    clients: [{ ...atWiki, redirect_uris: [], response_types: [], grant_types: [bearerGrant] }],
    trusts: { [idp.issuer]: `${idp.issuer}/jwks` },
  })
  entra = await startEntraTenant()
  const common = { listsForAnybody: true }
  crm = await startProtectedServer({ ...common, authorizationServer: idp.issuer, audience: 'crm' })
  ledger = await startProtectedServer({ ...common, authorizationServer: idp.issuer, audience: 'ledger' })
  graph = await startProtectedServer({ ...common, authorizationServer: entra.issuer, keys: entra.keys, audience: 'api://graph' })
  wiki = await startProtectedServer({ ...common, authorizationServer: believer.issuer })
  secrets.add(idp.gatewayClient.secret).add(entra.application.secret)
  const client = { ...idp.gatewayClient, auth: 'basic', scopes: ['email', 'groups', 'offline_access'] }
  const http = (server: ProtectedServer, auth: object) => ({ transport: 'http', url: server.url, auth })
  gateway = await startGateway({
    config: {
      listen: { port, public_url: own },
      identity: {
        issuers: {
          acme: {
            issuer: idp.issuer,
            audiences: ['turnward'],
            algorithms: ['ES256'],
            user: 'email',
            provision: 'auto',
            allow_http: true,
            client,
          },
          entra: {
            preset: 'entra-id',
            issuer: entra.issuer,
            audiences: [entra.application.id],
            provision: 'auto',
            workloads: true,
            allow_http: true,
            client: { ...entra.application, auth: 'post' },
          },
        },
        oauth: { clients: { agent: { grant: 'token_exchange', secret: agent.secret } } },
      },
      grants: [{ principals: ['*'], gateways: ['main'], tools: ['*'] }],
      servers: {
        crm: http(crm, { kind: 'exchange', issuer: 'acme', audience: 'crm', scopes: ['read'] }),
        ledger: http(ledger, { kind: 'exchange', issuer: 'acme', audience: 'ledger', scopes: ['read'] }),
        graph: http(graph, { kind: 'entra_obo', issuer: 'entra', scopes: ['api://graph/Notes.Read', 'api://graph/write'] }),
        wiki: http(wiki, {
          kind: 'id_jag',
          issuer: 'acme',
          client: { id: atWiki.client_id, secret: atWiki.client_secret },
          scopes: ['read'],
          allow_http: true,
        }),
      },
      gateways: { main: { servers: ['crm', 'ledger', 'graph', 'wiki'] } },
      contracts: { '*': { output: { trust: 'trusted' } } },
    },
  })
})
afterAll(async () => {
  await gateway?.stop()
  for (const part of [crm, ledger, graph, wiki, entra, believer, idp]) await part?.[Symbol.asyncDispose]()
})
beforeEach(() => {
  for (const person of people) {
    idp.refuses(person, undefined)
    believer.refuses(person, undefined)
    entra.refuses(person, undefined)
  }
})

/** What one call with this token is answered, be it an error. */
async function call(token: string, name: string): Promise<string> {
  secrets.add(token)
  const client = await connectClient(gateway.url, token)
  try {
    return textOf(await client.callTool({ name, arguments: {} }))
  } catch (error) {
    if (error instanceof ProtocolError) return error.message
    throw error
  } finally {
    await client.close()
  }
}
const subOf = (text: string): unknown => (JSON.parse(text) as { sub: unknown }).sub
/** Access tokens for the gateway, each another one. */
const tokenOf = (person: Person): Promise<string> => idp.accessToken(person)

/** Signs in with a browser, which leaves what the issuer gave. */
async function signIn(person: Person): Promise<void> {
  idp.signsIn(person)
  const page = await new PageBrowser().open(`${gateway.url}/sign-in/acme`)
  expect(page.text).toContain(`${person}@acme.example`)
}

/** The key of a person who has signed in. */
async function keyOf(person: Person): Promise<string> {
  const known = keys.get(person)
  if (known !== undefined) return known
  await signIn(person)
  const { stdout } = await gateway.cli(['keys', 'create', '--principal', `${person}@acme.example`, '--json'])
  const { key } = JSON.parse(stdout) as { key: string }
  keys.set(person, key)
  return key
}

test('without having signed in, a person of whom nothing can be shown is told what would do', async () => {
  expect(await call(await tokenOf('alice'), 'wiki__whoami')).toContain('sign in with `acme` at this gateway')
})

describe('at Entra ID (on-behalf-of)', () => {
  test('each call carries a token for that API, of that person, and the one that was shown stays here', async () => {
    const [alices, bobs] = await Promise.all(people.map(async (person) => call(await entra.accessToken(person), 'graph__whoami')))
    expect([alices, bobs].map((text) => JSON.parse(text ?? '') as object)).toEqual([
      { sub: 'pairwise-alice at api://graph', scope: 'Notes.Read write' },
      { sub: 'pairwise-bob at api://graph', scope: 'Notes.Read write' },
    ])
    expect(entra.asked.map(({ given }) => given?.['oid']).toSorted()).toEqual([entraPeople['alice'], entraPeople['bob']].toSorted())
  })

  test('is asked once however many calls one token makes', async () => {
    const before = entra.asked.length
    const token = await entra.accessToken('alice')
    await Promise.all(Array.from({ length: 10 }, () => call(token, 'graph__whoami')))
    expect(entra.asked.length).toBe(before + 1)
  })

  test.each([
    [
      'a second factor (conditional access)',
      {
        error: 'interaction_required',
        number: 50079,
        suberror: 'basic_action',
        claims: { access_token: { polids: { essential: true, values: ['9ab03e19-ed42-4168-b6b7-7001fb3e933a'] } } },
      },
      'second factor',
    ],
    ['a new sign-in, since the person was shut out', { error: 'invalid_grant', number: 50173, suberror: 'bad_token' }, 'AADSTS50173'],
  ])(
    'that wants %s says so to that person alone, and the token that there was for another call is not touched',
    async (_, refusal, words) => {
      const before = await entra.accessToken('alice')
      expect(subOf(await call(before, 'graph__whoami'))).toContain('alice')
      entra.refuses('alice', refusal)
      const refused = await call(await entra.accessToken('alice'), 'graph__whoami')
      for (const part of [words, `AADSTS${refusal.number}`, 'Sign in with `entra` again']) expect(refused).toContain(part)
      // What Entra wrote is not passed on: it quotes the token, and the claims are for whoever signs the person in.
      for (const part of ['Refused for', 'eyJ', '9ab03e19']) expect(refused).not.toContain(part)
      expect(subOf(await call(await entra.accessToken('bob'), 'graph__whoami'))).toContain('bob')
      expect(subOf(await call(before, 'graph__whoami'))).toContain('alice')
    },
  )

  test('an application that nobody signed in to is nobody to act for', async () => {
    expect(await call(await entra.applicationToken(), 'graph__whoami')).toMatch(/workload|application/)
    expect(
      entra.asked.every(({ parameters }) => (decodeJwt(parameters.get('assertion') ?? '') as { idtyp?: string }).idtyp !== 'app'),
    ).toBe(true)
  })

  test('which is away gives no new tokens, and takes none away', async () => {
    const token = await entra.accessToken('alice')
    expect(subOf(await call(token, 'graph__whoami'))).toContain('alice')
    await entra.goAway()
    try {
      expect(await call(await entra.accessToken('bob'), 'graph__whoami')).toContain('`entra` could not be asked for a token')
      expect(subOf(await call(token, 'graph__whoami'))).toContain('alice')
    } finally {
      await entra.comeBack()
    }
    expect(subOf(await call(await entra.accessToken('bob'), 'graph__whoami'))).toContain('bob')
  })
})

describe('by token exchange', () => {
  test.each([
    ['invalid_grant', 'Sign in with `acme` again'],
    ['invalid_target', 'audience, resource and scopes'],
    ['unauthorized_client', '`identity.issuers.acme.client`'],
  ])('`%s` for one person is told in words of ours, and nobody else notices', async (error, words) => {
    idp.refuses('alice', error)
    const [alices, bobs] = await Promise.all(people.map(async (person) => call(await tokenOf(person), 'crm__whoami')))
    expect(alices).toContain(error)
    expect(alices).toContain(words)
    expect(alices).not.toContain('refused:')
    expect(subOf(bobs ?? '')).toBe('bob')
    idp.refuses('alice', undefined)
    expect(subOf(await call(await tokenOf('alice'), 'crm__whoami'))).toBe('alice')
  })

  test('an issuer that is away costs only whoever has no token yet', async () => {
    const token = await tokenOf('alice')
    expect(subOf(await call(token, 'crm__whoami'))).toBe('alice')
    const bobs = await tokenOf('bob')
    await idp.goAway()
    try {
      expect(await call(bobs, 'crm__whoami')).toContain('`acme` could not be asked for a token')
      expect(subOf(await call(token, 'crm__whoami'))).toBe('alice')
    } finally {
      await idp.comeBack()
    }
    expect(subOf(await call(await tokenOf('bob'), 'crm__whoami'))).toBe('bob')
  })

  test('what signing in has left is exchanged for a virtual key, and for a token of this gateway', async () => {
    for (const person of people) {
      expect(JSON.parse(await call(await keyOf(person), 'crm__whoami'))).toMatchObject({ sub: person, act: { sub: 'turnward' } })
      const answer = await fetch(`${gateway.url}/oauth/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${agent.id}:${agent.secret}`).toString('base64')}` },
        body: new URLSearchParams({
          grant_type: exchangeGrant,
          subject_token: await tokenOf(person),
          subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
          resource: `${gateway.url}/mcp/main`,
        }),
      })
      const { access_token: own } = (await answer.json()) as { access_token: string }
      expect(decodeJwt(own).iss).toBe(gateway.url)
      expect(JSON.parse(await call(own, 'ledger__whoami'))).toMatchObject({ sub: person })
    }
  })
})

describe('by an assertion (ID-JAG)', () => {
  test('each call carries a token of the server’s own authorization server, which believes what the issuer vouches for', async () => {
    for (const person of people)
      expect(JSON.parse(await call(await keyOf(person), 'wiki__whoami'))).toMatchObject({ sub: person, scope: 'read' })
    const asserted = idp.exchanges.filter(({ parameters }) => parameters['requested_token_type']?.endsWith('id-jag') === true)
    expect(new Set(asserted.map(({ parameters: { audience, resource } }) => `${audience} ${resource}`))).toEqual(
      new Set([`${believer.issuer} ${wiki.url}`]),
    )
    const shown = believer.exchanges.map(({ parameters }) => decodeJwt(parameters['assertion'] ?? ''))
    expect(shown.map(({ sub, aud, client_id: id }) => [sub, aud, id])).toEqual(
      people.map((person) => [person, believer.issuer, atWiki.client_id]),
    )
  })

  test('a server whose authorization server does not believe it names that one, and for that person alone', async () => {
    believer.refuses('alice', 'invalid_grant')
    wiki.forgetTokens()
    const refused = await call(await keyOf('alice'), 'wiki__whoami')
    expect(refused).toContain('invalid_grant')
    expect(refused).toContain(new URL(believer.issuer).host)
    expect(refused).not.toContain('`acme` gives no token')
    expect(refused).not.toContain('refused:')
    expect(subOf(await call(await keyOf('bob'), 'wiki__whoami'))).toBe('bob')
  })

  test('an issuer that does not vouch for a person any more asks that person to sign in again', async () => {
    idp.refuses('bob', 'invalid_grant')
    wiki.forgetTokens()
    expect(await call(await keyOf('bob'), 'wiki__whoami')).toContain('Sign in with `acme` again')
    // A refusal is repeated for a moment: nobody is asked by every call.
    await until(
      'a token for the other person',
      async () => (await call(await keyOf('alice'), 'wiki__whoami')).includes('"alice"') || undefined,
    )
  })
})

test('no token that was shown to the gateway, kept by it or given as an assertion has reached a server, a log or a record', async () => {
  const seen = [crm, ledger, graph, wiki].flatMap((server) => server.seen.map((headers) => JSON.stringify(headers)))
  const sent = [crm, ledger, graph, wiki].map((server) =>
    server.seen.flatMap(({ authorization = '' }) => /^Bearer (\S+)$/.exec(authorization)?.[1] ?? []),
  )
  const audiences = ['crm', 'ledger', 'api://graph', wiki.url]
  for (const [at, tokens] of sent.entries()) expect(new Set(tokens.map((token) => decodeJwt(token).aud))).toEqual(new Set([audiences[at]]))
  const subjects = idp.exchanges.flatMap(({ parameters }) => parameters['subject_token'] ?? [])
  const assertions = [
    ...believer.exchanges.map(({ parameters }) => parameters['assertion'] ?? ''),
    ...entra.asked.map(({ parameters }) => parameters.get('assertion') ?? ''),
  ]
  const inward = [...secrets, ...subjects, ...assertions]
  expect(inward.length).toBeGreaterThan(30)
  // The end of a token is its signature: another one of the same person has the same beginning.
  const tail = (secret: string): string => secret.slice(-40)
  expect(inward.filter((secret) => seen.some((headers) => headers.includes(tail(secret))))).toEqual([])
  const written = gateway.logs() + JSON.stringify(await gateway.turnRecords())
  expect([...inward, ...sent.flat()].filter((secret) => written.includes(tail(secret)))).toEqual([])
})

test('decisions name the person and the credential of each kind; refusals have codes', async () => {
  const records = (await gateway.turnRecords()) as unknown as Record<string, string>[]
  const decisions = records.filter(({ type }) => type === 'decision')
  const of = (principal: string, subject: string): Set<string> =>
    new Set(
      decisions.filter((one) => one['principal'] === principal && one['subject'] === subject).map(({ credential }) => credential ?? ''),
    )
  for (const [principal, tool, kind] of [
    [entraPeople['alice'] ?? '', 'graph__whoami', 'entra_obo:graph'],
    [entraPeople['bob'] ?? '', 'graph__whoami', 'entra_obo:graph'],
    ['alice@acme.example', 'wiki__whoami', 'id_jag:wiki'],
    ['bob@acme.example', 'crm__whoami', 'exchange:crm'],
  ] as const)
    expect([...of(principal, tool)]).toEqual([expect.stringMatching(new RegExp(`^${kind}:[\\w-]{10}$`))])
  const codes = new Set(records.flatMap(({ type, errorCode }) => (type === 'outcome' && errorCode !== undefined ? [errorCode] : [])))
  expect(codes).toEqual(new Set(['mcp.person_needed', 'mcp.no_credential']))
})
