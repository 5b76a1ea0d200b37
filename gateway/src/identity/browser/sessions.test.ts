import { randomBytes } from 'node:crypto'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { stateBackends, type SharedState } from '../../state/backends.fixture.ts'
import type { StateStore } from '../../state/state-store.ts'
import { Cookies } from './cookies.ts'
import { BrowserSessions } from './sessions.ts'

const minute = 60_000
/** Each test has its own, so that all of them can share one state. */
let secret = randomBytes(32)
beforeEach(() => (secret = randomBytes(32)))

/** A browser that keeps cookies. */
class Browser {
  readonly jar = new Map<string, string>()
  readonly told: string[] = []

  request(): IncomingMessage {
    const request = new IncomingMessage(new Socket())
    request.headers.cookie = [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ')
    return request
  }

  async do<R>(work: (request: IncomingMessage, response: ServerResponse) => Promise<R>): Promise<R> {
    const request = this.request()
    const response = new ServerResponse(request)
    const result = await work(request, response)
    for (const text of [response.getHeader('set-cookie') ?? []].flat().map(String)) {
      this.told.push(text)
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(text) ?? []
      if (text.includes('Max-Age=0')) this.jar.delete(name)
      else this.jar.set(name, value)
    }
    return result
  }
}

function sessionsIn(state: StateStore, { publicUrl = 'https://gateway.example' } = {}) {
  let now = systemClock.now()
  const roles = new Map<string, readonly string[] | undefined>()
  const sessions = new BrowserSessions({
    state,
    clock: { now: () => now, monotonic: () => now },
    secret,
    lifetimes: () => ({ idleMs: 30 * minute, longestMs: 60 * minute }),
    cookies: () => new Cookies(publicUrl),
    rolesOf: async ({ person }) => (roles.has(person) ? roles.get(person) : []),
  })
  const signIn = (browser: Browser, person: string) =>
    browser.do((request, response) => sessions.begin(request, response, { person, issuer: 'acme' }))
  const personIn = async (browser: Browser) => (await sessions.current(browser.request()))?.person
  return { sessions, signIn, personIn, roles, pass: (ms: number) => (now += ms) }
}

describe.each(stateBackends)('sessions of browsers in $name', ({ isMissing, make }) => {
  let shared: SharedState
  beforeAll(async () => {
    if (!isMissing) shared = await make()
  })
  afterAll(() => shared?.[Symbol.asyncDispose]())

  test.skipIf(isMissing)('are known by what the cookie carries, at every replica, and by nothing else', async () => {
    const { signIn, personIn } = sessionsIn(await shared.open())
    const elsewhere = sessionsIn(await shared.open())
    const browser = new Browser()
    const session = await signIn(browser, 'alice')
    expect(session).toMatchObject({ person: 'alice', issuer: 'acme', roles: [] })
    expect(await personIn(browser)).toBe('alice')
    expect(await elsewhere.personIn(browser)).toBe('alice')
    expect(await personIn(new Browser())).toBeUndefined()
    const [name = '', value = ''] = [...browser.jar][0] ?? []
    for (const other of ['', `${value}x`, value.slice(1), session?.id ?? '', `${value.slice(0, -1)}${value.endsWith('0') ? '1' : '0'}`]) {
      browser.jar.set(name, other)
      expect(await personIn(browser)).toBeUndefined()
    }
  })

  test.skipIf(isMissing)('end when they were not used, and at the latest some time after signing in', async () => {
    const { signIn, personIn, pass } = sessionsIn(await shared.open())
    const [idle, used] = [new Browser(), new Browser()]
    await signIn(idle, 'alice')
    await signIn(used, 'bob')
    pass(20 * minute)
    expect(await personIn(used)).toBe('bob')
    pass(20 * minute)
    expect(await personIn(idle)).toBeUndefined()
    expect(await personIn(used)).toBe('bob')
    pass(20 * minute)
    expect(await personIn(used)).toBeUndefined()
  })

  test.skipIf(isMissing)('get another text with every sign-in, and the one before is worth nothing', async () => {
    const { signIn, personIn } = sessionsIn(await shared.open())
    const browser = new Browser()
    await signIn(browser, 'alice')
    const before = new Browser()
    for (const [name, value] of browser.jar) before.jar.set(name, value)
    await signIn(browser, 'bob')
    expect(await personIn(browser)).toBe('bob')
    expect(await personIn(before)).toBeUndefined()
  })

  test.skipIf(isMissing)('end by signing out, here or everywhere', async () => {
    const { sessions, signIn, personIn } = sessionsIn(await shared.open())
    const [one, two, other] = [new Browser(), new Browser(), new Browser()]
    await signIn(one, 'alice')
    await signIn(two, 'alice')
    await signIn(other, 'bob')
    const kept = new Browser()
    for (const [name, value] of one.jar) kept.jar.set(name, value)
    await one.do((request, response) => sessions.end(request, response))
    expect(one.jar.size).toBe(0)
    expect(await personIn(kept)).toBeUndefined()
    expect(await personIn(two)).toBe('alice')
    await signIn(one, 'alice')
    expect(await sessions.endAll('alice')).toBe(2)
    expect([await personIn(one), await personIn(two), await personIn(other)]).toEqual([undefined, undefined, 'bob'])
  })

  test.skipIf(isMissing)('end with the right to be in, and when there are new roles', async () => {
    const { signIn, personIn, roles } = sessionsIn(await shared.open())
    const browser = new Browser()
    roles.set('alice', ['viewer', 'auditor'])
    await signIn(browser, 'alice')
    roles.set('alice', ['viewer'])
    expect(await personIn(browser)).toBe('alice')
    roles.set('alice', ['viewer', 'admin'])
    expect(await personIn(browser)).toBeUndefined()
    roles.set('alice', undefined)
    expect(await personIn(browser)).toBeUndefined()
    expect(await signIn(browser, 'alice')).toBeUndefined()
  })

  test.skipIf(isMissing)('of one person are so many, and then the oldest ends', async () => {
    const { signIn, personIn } = sessionsIn(await shared.open())
    const browsers = Array.from({ length: 21 }, () => new Browser())
    for (const browser of browsers) await signIn(browser, 'alice')
    expect(await Promise.all([0, 1, 20].map((index) => personIn(browsers[index] as Browser)))).toEqual([undefined, 'alice', 'alice'])
  })
})

describe('the cookie of a session', () => {
  test('is for this host alone under https, and no script or foreign form has it', async () => {
    await using shared = await (stateBackends[0] as (typeof stateBackends)[number]).make()
    const { signIn } = sessionsIn(await shared.open())
    const browser = new Browser()
    await signIn(browser, 'alice')
    expect(browser.told.join()).toMatch(/^__Host-turnward-session=[0-9A-Za-z]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/)
  })

  test('has a plain name with the port under http on this machine', async () => {
    await using shared = await (stateBackends[0] as (typeof stateBackends)[number]).make()
    const { signIn, personIn } = sessionsIn(await shared.open(), { publicUrl: 'http://127.0.0.1:4100' })
    const browser = new Browser()
    await signIn(browser, 'alice')
    expect(browser.told.join()).toMatch(/^turnward-4100-session=[0-9A-Za-z]{43}; Path=\/; HttpOnly; SameSite=Lax$/)
    expect(await personIn(browser)).toBe('alice')
  })

  test('means nobody when the browser sends two', () => {
    const request = new IncomingMessage(new Socket())
    request.headers.cookie = '__Host-turnward-session=a; other=1; __Host-turnward-session=b; turnward-session=c'
    const cookies = new Cookies('https://gateway.example')
    expect(cookies.read(request, 'session')).toBeUndefined()
    request.headers.cookie = 'x=1;__Host-turnward-session=a=b ; y'
    expect(cookies.read(request, 'session')).toBe('a=b')
  })
})
