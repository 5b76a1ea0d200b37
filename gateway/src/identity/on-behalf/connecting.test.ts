/** The pages where people connect accounts, as browsers meet them: who may, what is asked, and what cannot be forced on anybody. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import { silentLogger } from '../../core/logger.ts'
import { html } from '../browser/html.ts'
import type { BrowserSession, SignIn } from '../browser/sign-in.ts'
import { testClock, testState, type TestClock } from '../../turns/state-and-clock.fixture.ts'
import { connectEntrances } from './connecting.ts'
import { LinkDeclined, type LinkQuestion } from './link-engine.ts'
import { LinkFlows } from './link-flows.ts'
import { linkAddress } from './link-needed.ts'
import { Links } from './links.ts'
import { memoryVault, type MemoryVault } from './memory-vault.fixture.ts'
import { StoredSecrets } from './stored-secrets.ts'

const secret = Buffer.alloc(32, 3)
const config = (name: string, auth: object): McpServer =>
  ({ name, digest: name, config: { transport: 'http', url: `https://${name}.example/mcp`, auth } }) as unknown as McpServer

let clock: TestClock
let vault: MemoryVault
let servers: Map<string, McpServer>
let asked: LinkQuestion[]
let finish: () => Promise<void>
let listener: Server
let origin: string

beforeEach(async () => {
  clock = testClock()
  vault = memoryVault()
  asked = []
  finish = () => Promise.resolve()
  servers = new Map([
    ['jira', config('jira', { kind: 'user', scopes: ['read:jira'] })],
    ['crm', config('crm', { kind: 'person_header', header: 'x-key', format: '{secret}', help: 'Settings > Keys' })],
    ['open', config('open', { kind: 'none' })],
  ])
  // The cookie is the session: who is signed in is not what is looked at here.
  const signIn: SignIn = {
    async current(request) {
      const [, id, person] = /session=(\w+)\.(\w+)/.exec(request.headers.cookie ?? '') ?? []
      return id === undefined || person === undefined ? undefined : sessionOf(id, person)
    },
    startPath: (returnTo, options) => `/sign-in?to=${encodeURIComponent(returnTo)}${options?.fresh === true ? '&fresh' : ''}`,
    csrfField: ({ id }) => html`<input type="hidden" name="form" value="${`form-of-${id}`}" />`,
    checkCsrf(_request, form, { id }) {
      if (form.get('form') !== `form-of-${id}`) throw new TurnwardError('auth.foreign_form')
    },
  }
  const state = testState(clock)
  const links = new Links({ vault, state, clock, logger: silentLogger, renew: () => Promise.reject(new Error('not here')), pause })
  const entrances = connectEntrances({
    snapshot: () => ({ servers }) as unknown as Snapshot,
    publicUrl: () => origin,
    signIn,
    links,
    endLink: (person, { name }) => links.remove(person, name),
    secrets: new StoredSecrets(vault, clock),
    flows: new LinkFlows(state, clock, secret),
    engine: {
      async begin(question) {
        asked.push(question)
        return { url: `https://as.example/authorize?state=${question.state}`, host: 'as.example', pending: { verifier: 'v-1' } }
      },
      async finish(pending, answer) {
        await finish()
        return { access: `token for ${answer.get('code') ?? ''} with ${String(pending.verifier)}`, renewal: {} }
      },
    },
    clock,
    logger: silentLogger,
    secret,
  })
  listener = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://x').pathname
    const found =
      entrances.find((each) => each.path === path && each.methods.includes(request.method ?? '')) ??
      entrances.find(({ path: own, methods }) => own.includes('{') && methods.includes(request.method ?? ''))
    void found?.handle(request, response, path.split('/')[2] ?? '')
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
})
afterEach(async () => {
  listener.closeAllConnections()
  await new Promise((resolve) => listener.close(resolve))
})

const sessionOf = (id: string, person: string): BrowserSession => ({ id, person, issuer: 'acme', signedInAt: 0, roles: [] })
const places = () => ({ publicUrl: () => origin, now: () => clock.now(), secret })
/** Link of a caller, as an error names it. */
const linkOf = (person: string, server = 'jira', scopes?: readonly string[]): string => linkAddress(places(), person, server, scopes)
const get = (address: string, cookie = 's1.alice') =>
  fetch(new URL(address, origin), { redirect: 'manual', headers: cookie === '' ? {} : { cookie: `session=${cookie}` } })
const post = (path: string, fields: Record<string, string>, cookie = 's1.alice') =>
  fetch(new URL(path, origin), {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: `session=${cookie}` },
    body: new URLSearchParams({ form: `form-of-${cookie.split('.')[0]}`, ...fields }),
  })
const ticketOf = (link: string): string => new URL(link).searchParams.get('for') ?? ''
/** Goes as far as the authorization server; gives the `state`. */
async function leave(cookie = 's1.alice'): Promise<string> {
  const page = await (await post('/connect/jira', { action: 'connect' }, cookie)).text()
  return /state=(\w+)/.exec(page)?.[1] ?? ''
}

describe('a link to connect an account', () => {
  test('asks who sits there first, and comes back', async () => {
    const link = linkOf('alice')
    const answer = await get(link, '')
    expect(answer.status).toBe(303)
    expect(decodeURIComponent(answer.headers.get('location') ?? '')).toBe(`/sign-in?to=/connect/jira?for=${ticketOf(link)}`)
  })

  test('says what will be connected, where, for whom, and what will be asked for', async () => {
    const page = await (await get(linkOf('alice', 'jira', ['read:jira', 'write:jira']))).text()
    for (const said of ['Connect jira', 'jira.example', 'alice', 'read:jira, write:jira']) expect(page).toContain(said)
    expect(vault.contents.size).toBe(0)
  })

  test('that was made for somebody else connects nothing, and says so', async () => {
    const link = linkOf('mallory')
    const answer = await get(link)
    expect(answer.status).toBe(403)
    expect(await answer.text()).toContain('made for somebody else')
    expect((await post('/connect/jira', { action: 'connect', for: ticketOf(link) })).status).toBe(403)
    expect(asked).toEqual([])
  })

  test('is too old after a quarter of an hour, and one that was changed is none', async () => {
    const link = linkOf('alice')
    clock.advance(15 * 60_000)
    for (const old of [link, `${link}x`, linkOf('alice', 'crm').replace('/connect/crm', '/connect/jira')]) {
      const answer = await get(old)
      expect([answer.status, (await answer.text()).includes('Nothing has been connected')]).toEqual([400, true])
    }
  })

  test.each(['open', 'nothing', '%ff', 'constructor'])('leads nowhere for %s', async (name) => {
    expect((await get(`/connect/${name}`)).status).toBe(404)
  })

  test('is never shown in a frame, kept, or told to others', async () => {
    const { headers } = await get(linkOf('alice'))
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(headers.get('cache-control')).toBe('no-store')
  })
})

describe('connecting', () => {
  test('goes to the authorization server with a way back of its own, and keeps what comes of it for that person alone', async () => {
    const state = await leave()
    expect(asked[0]).toMatchObject({ redirectUri: `${origin}/connect/-/return`, state, scopes: undefined })
    const answer = await get(`/connect/-/return?code=c1&state=${state}`)
    expect([answer.status, (await answer.text()).includes('is connected')]).toEqual([200, true])
    expect([...vault.contents.keys()]).toEqual(['link/alice/jira'])
    expect(vault.contents.get('link/alice/jira')).toContain('token for c1 with v-1')
  })

  test('asks for the scopes of the link', async () => {
    await post('/connect/jira', { action: 'connect', for: ticketOf(linkOf('alice', 'jira', ['a', 'b'])) })
    expect(asked[0]?.scopes).toEqual(['a', 'b'])
  })

  test('is not done by a form of somebody else’s page', async () => {
    const answer = await post('/connect/jira', { action: 'connect', form: 'form-of-s2' })
    expect(answer.status).toBe(403)
    expect(asked).toEqual([])
  })

  test.each([
    ['the same answer a second time', async (state: string) => (await get(`/connect/-/return?code=c1&state=${state}`), 's1.alice')],
    ['in another browser', async () => 's2.alice'],
    ['for another person', async () => 's1.bob'],
    ['signed in as nobody', async () => ''],
  ])('ends nowhere with %s', async (_what, comesAs) => {
    const state = await leave()
    const cookie = await comesAs(state)
    const before = vault.contents.size
    const answer = await get(`/connect/-/return?code=stolen&state=${state}`, cookie)
    expect(answer.status).toBe(400)
    expect(vault.contents.size).toBe(before)
    expect([...vault.contents.values()].join()).not.toContain('stolen')
  })

  test.each(['', 'x'.repeat(43), 'y'.repeat(10_000)])('ends nowhere with a state that nobody was given (%#)', async (state) => {
    expect((await get(`/connect/-/return?code=c&state=${state}`)).status).toBe(400)
  })

  test('ends nowhere when it took too long', async () => {
    const state = await leave()
    clock.advance(10 * 60_000)
    expect((await get(`/connect/-/return?code=c&state=${state}`)).status).toBe(400)
  })

  test('ends nowhere when the server has another address meanwhile', async () => {
    const state = await leave()
    servers.set('jira', { ...config('elsewhere', { kind: 'user' }), name: 'jira' })
    expect((await get(`/connect/-/return?code=c&state=${state}`)).status).toBe(409)
    expect(vault.contents.size).toBe(0)
  })

  test('says what the authorization server said, and quotes nothing of it', async () => {
    finish = () => Promise.reject(new LinkDeclined('access_denied'))
    const page = await (await get(`/connect/-/return?error=access_denied&error_description=<b>evil&state=${await leave()}`)).text()
    expect(page).toContain('did not agree')
    expect(page).not.toContain('evil')
  })
})

describe('a secret of a person', () => {
  test('is asked for with the words of the configuration, stored for that server alone, and never shown again', async () => {
    expect(await (await get('/connect/crm')).text()).toContain('Settings &gt; Keys')
    const answer = await post('/connect/crm', { action: 'store', secret: ' s3cret ' })
    expect(answer.status).toBe(200)
    expect(JSON.parse(vault.contents.get('person_header/alice/crm') ?? '')).toMatchObject({
      secret: 's3cret',
      url: 'https://crm.example/mcp',
    })
    expect((await (await get('/connect/crm')).text()) + (await answer.text())).not.toContain('s3cret')
  })

  test.each(['', 'two\nlines', 'ümlaut', 'x'.repeat(8193)])('that no header can carry is refused (%#)', async (text) => {
    const answer = await post('/connect/crm', { action: 'store', secret: text })
    expect(answer.status).toBe(400)
    expect(vault.contents.size).toBe(0)
  })

  test('is not taken for an account, nor the other way round', async () => {
    expect((await post('/connect/crm', { action: 'connect' })).status).toBe(400)
    expect((await post('/connect/jira', { action: 'store', secret: 's' })).status).toBe(400)
    expect(vault.contents.size).toBe(0)
  })
})

test('a person sees what is connected, and disconnects it without touching anybody else’s', async () => {
  await get(`/connect/-/return?code=a&state=${await leave()}`)
  await get(`/connect/-/return?code=b&state=${await leave('s2.bob')}`, 's2.bob')
  const page = await (await get('/connect')).text()
  expect(page).toMatch(/jira<\/a\s*>: connected/)
  expect(page).toMatch(/crm<\/a\s*>: not connected/)
  expect(page).not.toContain('open')
  await post('/connect/jira', { action: 'disconnect' })
  expect([...vault.contents.keys()]).toEqual(['link/bob/jira'])
})
