/**
 * Two people, one agent, one tool: each sees what is theirs, because the call carries their own credential. A real authorization
 * server, a server that checks whom it answers, and clients of both eras; nothing that a caller showed ever gets there.
 */
import type { Client } from '@modelcontextprotocol/client'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../../scripts/services/free-port.ts'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { startIdentityProvider, type IdentityProvider } from '../harness/identity-provider.ts'
import type { Json } from '../harness/json.ts'
import { PageBrowser } from '../harness/page-browser.ts'
import { startProtectedServer, type ProtectedServer } from '../harness/protected-server.ts'
import { until } from '../harness/until.ts'
import { connectClient, modes, textOf } from './official-client.ts'

const there = { client_id: 'turnward-at-notes', client_secret: 'secret-of-the-gateway-at-the-notes-0123456789' }

let idp: IdentityProvider
let notes: ProtectedServer
let crm: ProtectedServer
let keyed: ProtectedServer
let gateway: RunningGateway
const browsers = new Map<string, PageBrowser>()

beforeAll(async () => {
  const port = await freePort()
  const own = `http://127.0.0.1:${port}`
  idp = await startIdentityProvider({
    redirectUris: [`${own}/sign-in/acme/callback`],
    clients: [{ ...there, redirect_uris: [`${own}/connect/-/return`], grant_types: ['authorization_code', 'refresh_token'] }],
  })
  notes = await startProtectedServer({ authorizationServer: idp.issuer, listsForAnybody: true })
  crm = await startProtectedServer({ authorizationServer: idp.issuer, listsForAnybody: true, audience: 'crm' })
  keyed = await startProtectedServer({
    authorizationServer: idp.issuer,
    listsForAnybody: true,
    secrets: { header: 'x-key', people: { 'secret-of-alice': 'alice', 'secret-of-bob': 'bob' } },
  })
  const auth = { kind: 'user', clients: [{ issuer: idp.issuer, id: there.client_id, secret: there.client_secret }], allow_http: true }
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
            client: {
              id: idp.gatewayClient.id,
              secret: idp.gatewayClient.secret,
              auth: 'basic',
              scopes: ['email', 'groups', 'offline_access'],
            },
          },
        },
      },
      principals: { ci: { kind: 'workload' }, keyholder: {} },
      keys: {
        ci: { principal: 'ci', secret: 'tw_of_the_workload_0123456789' },
        keyholder: { principal: 'keyholder', secret: 'tw_of_the_keyholder_0123456789' },
      },
      grants: [{ principals: ['*'], gateways: ['main'], tools: ['*'] }],
      servers: {
        notes: { transport: 'http', url: notes.url, max_concurrent: 64, auth: { ...auth, scopes: ['read'] } },
        crm: { transport: 'http', url: crm.url, auth: { kind: 'exchange', issuer: 'acme', audience: 'crm', scopes: ['read'] } },
        keyed: {
          transport: 'http',
          url: keyed.url,
          auth: { kind: 'person_header', header: 'x-key', format: '{secret}', help: 'In your profile.' },
        },
      },
      gateways: { main: { servers: ['notes', 'crm', 'keyed'] } },
      contracts: { '*': { output: { trust: 'trusted' } } },
    },
  })
})
afterAll(async () => {
  await gateway?.stop()
  for (const part of [notes, crm, keyed, idp]) await part?.[Symbol.asyncDispose]()
})

/** The browser of a person, who is asked by the issuer for a name once. */
async function openAs(person: string, url: string) {
  const browser = browsers.get(person) ?? new PageBrowser()
  browsers.set(person, browser)
  idp.signsIn(person)
  return { browser, page: await browser.open(url) }
}

/** What a person does with a link: signs in, reads the page, agrees. */
async function follow(person: string, url: string): Promise<string> {
  const { browser, page } = await openAs(person, url)
  return (await browser.submit(page, { action: 'connect' })).text
}

async function disconnect(person: string): Promise<void> {
  const { browser, page } = await openAs(person, `${gateway.url}/connect/notes`)
  await browser.submit(page, { action: 'disconnect' })
}

const linkIn = (text: string): string => /https?:\/\/\S+\/connect\/\S+/.exec(text)?.[0] ?? ''

async function call(client: Client, name: string, args: Json = {}): Promise<string> {
  return textOf(await client.callTool({ name, arguments: args }))
}

async function as<T>(token: string, work: (client: Client) => Promise<T>, options: Parameters<typeof connectClient>[2] = {}): Promise<T> {
  const client = await connectClient(gateway.url, token, options)
  try {
    return await work(client)
  } finally {
    await client.close()
  }
}

describe('an account of each person', () => {
  test('is connected by a link in the result of the tool, and the same call then answers for that person', async () => {
    const token = await idp.accessToken('alice')
    await as(token, async (client) => {
      const refused = await call(client, 'notes__whoami')
      expect(refused).toContain('Show the person this link')
      expect(await follow('alice', linkIn(refused))).toContain('is connected')
      expect(JSON.parse(await call(client, 'notes__whoami'))).toMatchObject({ sub: 'alice' })
    })
  })

  test.each(modes)('is connected by a page that the client opens, and the call goes on by itself (%s)', async (name, mode) => {
    const person = 'bob'
    if (name !== modes[0]?.[0]) await disconnect(person)
    const opened: string[] = []
    const prepare = (client: Client): void =>
      client.setRequestHandler('elicitation/create', async ({ params }) => {
        const { url = '' } = params as { url?: string }
        opened.push(url)
        await follow(person, url)
        return { action: 'accept' }
      })
    const token = await idp.accessToken(person)
    const said = await as(token, (client) => call(client, 'notes__whoami'), { mode, capabilities: { elicitation: { url: {} } }, prepare })
    expect(JSON.parse(said)).toMatchObject({ sub: person })
    expect(opened).toHaveLength(1)
  })

  test('who declines is not asked again in the same call', async () => {
    const prepare = (client: Client): void => client.setRequestHandler('elicitation/create', async () => ({ action: 'decline' }))
    const said = await as('tw_of_the_keyholder_0123456789', (client) => call(client, 'notes__whoami'), {
      capabilities: { elicitation: { url: {} } },
      prepare,
    })
    expect(said).toContain('declined')
  })

  test('each sees what is theirs, with one agent and one tool, in both eras', async () => {
    for (const [, mode] of modes) {
      const [alices, bobs] = await Promise.all(
        ['alice', 'bob'].map(async (person) => as(await idp.accessToken(person), (client) => call(client, 'notes__whoami'), { mode })),
      )
      expect([alices, bobs].map((text) => (JSON.parse(text ?? '') as { sub: string }).sub)).toEqual(['alice', 'bob'])
    }
  })

  test('a link of one person connects nothing in the browser of another', async () => {
    const refused = await as('tw_of_the_keyholder_0123456789', (client) => call(client, 'notes__whoami'))
    const { page } = await openAs('alice', linkIn(refused))
    expect([page.status, page.text.includes('made for somebody else')]).toEqual([403, true])
    expect(await as('tw_of_the_keyholder_0123456789', (client) => call(client, 'notes__whoami'))).toContain('Show the person this link')
  })

  test('that may not do something asks for more, together with what it may', async () => {
    const token = await idp.accessToken('alice')
    await as(token, async (client) => {
      const refused = await call(client, 'notes__remember', { note: 'milk' })
      const { browser, page } = await openAs('alice', linkIn(refused))
      expect(page.text).toMatch(/read.*, write/)
      await browser.submit(page, { action: 'connect' })
      expect(await call(client, 'notes__remember', { note: 'milk' })).toBe('kept')
      expect(await call(client, 'notes__notes')).toBe('milk')
    })
    expect(await as(await idp.accessToken('bob'), (client) => call(client, 'notes__notes'))).toBe('')
  })

  test('is renewed once for many calls when the server does not take its token any more', async () => {
    const before = idp.asked('/token')
    notes.forgetTokens()
    const token = await idp.accessToken('alice')
    const all = await as(token, (client) => Promise.all(Array.from({ length: 50 }, () => call(client, 'notes__whoami'))))
    expect(new Set(all.map((text) => (JSON.parse(text) as { sub: string }).sub))).toEqual(new Set(['alice']))
    expect(idp.asked('/token')).toBe(before + 1)
  })

  test('of a workload there is none: it is told so, without a link', async () => {
    const said = await as('tw_of_the_workload_0123456789', (client) => call(client, 'notes__whoami'))
    expect(said).toContain('only a person can connect an account')
    expect(linkIn(said)).toBe('')
  })

  test('is disconnected by its person, taken back at its authorization server, and asked for again', async () => {
    const before = idp.asked('/token/revocation')
    await disconnect('bob')
    // What it is renewed with, and the token itself.
    expect(idp.asked('/token/revocation')).toBe(before + 2)
    expect(gateway.logs()).toContain('were taken back at its authorization server')
    expect(await as(await idp.accessToken('bob'), (client) => call(client, 'notes__whoami'))).toContain('Show the person this link')
  })

  test('is taken back as well when an operator removes it, and when its person is shut out', async () => {
    const connect = async (): Promise<void> => {
      const refused = await as(await idp.accessToken('bob'), (client) => call(client, 'notes__whoami'))
      expect(await follow('bob', linkIn(refused))).toContain('is connected')
    }
    await connect()
    const before = idp.asked('/token/revocation')
    expect((await gateway.cli(['links', 'remove', 'bob@acme.example', 'notes'])).stdout).toContain('took the tokens back')
    expect(idp.asked('/token/revocation')).toBe(before + 2)
    await connect()
    expect((await gateway.cli(['people', 'disable', 'bob@acme.example'])).code).toBe(0)
    await until('the tokens to be taken back', () => idp.asked('/token/revocation') === before + 4 || undefined)
    expect((await gateway.cli(['people', 'enable', 'bob@acme.example'])).code).toBe(0)
    // His browser was signed out with him, and tokens say when they were issued by the second.
    browsers.delete('bob')
    await until('a token from after that', async () => as(await idp.accessToken('bob'), async () => true).catch(() => undefined))
  })
})

describe('a token of the issuer', () => {
  test('is exchanged for each person, and says who acts', async () => {
    const said = await Promise.all(
      ['alice', 'bob'].map(async (person) => as(await idp.accessToken(person), (client) => call(client, 'crm__whoami'))),
    )
    expect(said.map((text) => JSON.parse(text) as object)).toMatchObject([
      { sub: 'alice', act: { sub: 'turnward' } },
      { sub: 'bob', act: { sub: 'turnward' } },
    ])
  })

  test('is not had for a virtual key alone, and what would do is said', async () => {
    const said = await as('tw_of_the_keyholder_0123456789', (client) => call(client, 'crm__whoami'))
    expect(said).toContain('a virtual key says who calls')
    expect(said).toContain('Call with a token of `acme`')
  })
})

test('a secret of each person is stored on a page or by an operator, and goes out in its header', async () => {
  const token = await idp.accessToken('alice')
  const refused = await as(token, (client) => call(client, 'keyed__whoami'))
  const { browser, page } = await openAs('alice', linkIn(refused))
  expect((await browser.submit(page, { action: 'store', secret: 'secret-of-alice' })).text).toContain('Your secret is stored')
  expect(JSON.parse(await as(token, (client) => call(client, 'keyed__whoami')))).toMatchObject({ sub: 'alice' })
  expect((await gateway.cli(['links', 'list'])).stdout).toMatch(/alice@acme\.example +keyed +secret/)
  expect((await gateway.cli(['links', 'list', '--json'])).stdout).not.toContain('secret-of-alice')
})

test('nothing that a caller showed has reached a server, and no token or secret is in the log or the records', async () => {
  const shown = await Promise.all(['alice', 'bob'].map((person) => idp.accessToken(person)))
  for (const token of shown) for (const tool of ['notes__whoami', 'crm__whoami']) await as(token, (client) => call(client, tool))
  const seen = [notes, crm, keyed].flatMap((server) => server.seen.map((headers) => JSON.stringify(headers)))
  for (const token of [...shown, 'tw_of_the_keyholder', 'tw_of_the_workload'])
    expect(seen.filter((headers) => headers.includes(token.slice(-30)))).toEqual([])
  const sent = [...notes.seen, ...crm.seen].flatMap(({ authorization = '' }) => /^Bearer (\S+)$/.exec(authorization)?.[1] ?? [])
  expect(sent.length).toBeGreaterThan(4)
  // Each token that a server has seen was made for that server.
  expect(new Set(sent.map((token) => decodeJwt(token).aud))).toEqual(new Set([notes.url, 'crm']))
  const written = gateway.logs() + JSON.stringify(await gateway.turnRecords())
  for (const secret of [...sent, ...shown, 'secret-of-alice', there.client_secret]) expect(written.includes(secret.slice(-40))).toBe(false)
})

test('decisions name the person and the credential, one for each person at each server', async () => {
  const credentials = new Map<string, Set<string>>()
  for (const record of await gateway.turnRecords()) {
    const { type, subject, principal, credential } = record as unknown as Record<string, string>
    if (type !== 'decision' || subject?.endsWith('__whoami') !== true) continue
    const key = `${principal} ${subject}`
    credentials.set(key, (credentials.get(key) ?? new Set()).add(credential ?? ''))
  }
  expect([...(credentials.get('alice@acme.example notes__whoami') ?? [])]).toEqual([expect.stringMatching(/^link:notes:[\w-]{10}$/)])
  expect([...(credentials.get('alice@acme.example crm__whoami') ?? [])]).toEqual([expect.stringMatching(/^exchange:crm:[\w-]{10}$/)])
  expect(credentials.get('alice@acme.example notes__whoami')).not.toEqual(credentials.get('bob@acme.example notes__whoami'))
})
