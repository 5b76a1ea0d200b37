import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { joinCluster } from './joining-cluster.ts'
import { noPeers } from '../cluster/peers.ts'
import { silentLogger } from '../core/logger.ts'
import { configOf, openFloors, type Floors } from '../invariants/floors.fixture.ts'
import { BrowserSessions } from '../identity/browser/sessions.ts'
import { Cookies } from '../identity/browser/cookies.ts'
import { createSignInRoom, type SignInRoomParts } from '../identity/sign-in-room.ts'
import { oauthEntrances } from '../identity/oauth-server/oauth-entrances.ts'
import type { Services } from '../turns/services.ts'
import { createDispatch, entrancesOf } from './entrances.ts'
import type { Entrance } from './entrance-table.ts'
import { RealtimeDoor } from './realtime-door.ts'

/** Whoever may come with anything: their key, and which of the roles it can use. */
const keysOf = {
  everything: { key: 'tw_key_without_a_scope_000000000', roles: [] },
  models: { key: 'tw_key_for_models_and_mcp_0000000', roles: [] },
  nothing: { key: 'tw_admin_key_without_a_role_00000', roles: [] },
  viewer: { key: 'tw_admin_key_of_a_viewer_00000000', roles: ['viewer'] },
  operator: { key: 'tw_admin_key_of_an_operator_00000', roles: ['viewer', 'operator'] },
  author: { key: 'tw_admin_key_of_an_author_0000000', roles: ['viewer', 'policy_author'] },
  auditor: { key: 'tw_admin_key_of_an_auditor_000000', roles: ['viewer', 'auditor'] },
  admin: { key: 'tw_admin_key_of_an_admin_00000000', roles: ['viewer', 'operator', 'policy_author', 'admin'] },
} as const
const agentOfAdmin = 'tw_admin_key_of_an_agent_00000000'
const directory = 'the-token-of-a-directory-with-32-characters'

/**
 * Every way in and what it needs. What is not here yet fails: add a line, and think about who should come in. Paths of model calls
 * are many and alike; they stand here by how they begin.
 */
const expected: readonly (readonly [path: string | RegExp, methods: string, needs: string])[] = [
  [/^\/(?:upload\/)?v[12](?:beta|alpha)?[\d.]*\/|^\/model\//, '*', 'caller'],
  ['/mcp/{gateway}', 'own', 'caller'],
  ['/mcp/{gateway}/sse', 'own', 'caller'],
  ['/mcp/{gateway}/messages', 'own', 'caller'],
  ['/scim/v2/{rest...}', 'own', 'scim'],
  ['/api/me', 'GET', 'caller'],
  ['/api/me/credentials', 'GET', 'person'],
  ['/api/me/credentials', 'POST', 'person'],
  ['/api/me/credentials/{id...}', 'DELETE', 'person'],
  ['/api/connect', 'GET', 'person'],
  ['/api/handles/{id}', 'GET', 'person'],
  ['/api/live', 'GET', 'person'],
  ['/api/approvals', 'GET', 'person'],
  ['/api/approvals/{id}', 'GET', 'person'],
  ['/api/approvals/{id}/approve', 'POST', 'person'],
  ['/api/approvals/{id}/deny', 'POST', 'person'],
  ['/api/people', 'GET', 'viewer'],
  ['/api/people/{id...}', 'GET', 'viewer'],
  ['/api/people/{id...}', 'PATCH', 'admin'],
  ['/api/keys', 'GET', 'viewer'],
  ['/api/keys', 'POST', 'admin'],
  ['/api/keys/{id}', 'DELETE', 'admin'],
  ['/api/keys/{id}/rotate', 'POST', 'admin'],
  ['/api/limits', 'GET', 'viewer'],
  ['/api/policy', 'GET', 'viewer'],
  ['/api/policy/simulate', 'POST', 'person'],
  ['/api/policy/check', 'POST', 'policy_author'],
  ['/api/policy/replay', 'POST', 'admin'],
  ['/api/upstreams', 'GET', 'viewer'],
  ['/api/servers', 'GET', 'viewer'],
  ['/api/servers/{name}', 'GET', 'viewer'],
  ['/api/servers/{name}/restart', 'POST', 'operator'],
  ['/api/tools', 'GET', 'viewer'],
  ['/api/tools/{server}/{tool}', 'GET', 'viewer'],
  ['/api/tools/{server}/{tool}/accept', 'POST', 'admin'],
  ['/api/tools/{server}/{tool}/try', 'POST', 'person'],
  ['/api/stops', 'GET', 'viewer'],
  ['/api/stops', 'POST', 'operator'],
  ['/api/stops/{id...}', 'DELETE', 'operator'],
  ['/api/config', 'GET', 'viewer'],
  ['/api/config/export', 'GET', 'viewer'],
  ['/api/config/check', 'POST', 'admin'],
  ['/api/config/diff', 'POST', 'viewer'],
  ['/api/config/apply', 'POST', 'admin'],
  ['/api/config/revisions', 'GET', 'viewer'],
  ['/api/config/revisions/{number}', 'GET', 'viewer'],
  ['/api/config/revisions/{number}/rollback', 'POST', 'admin'],
  ['/api/config/{kind}', 'GET', 'viewer'],
  ['/api/config/{kind}/{name}', 'GET', 'viewer'],
  ['/api/config/{kind}/{name}', 'PUT', 'admin'],
  ['/api/config/{kind}/{name}', 'DELETE', 'admin'],
  ['/api/turns/{id}', 'GET', 'person'],
  ['/api/turns', 'GET', 'person'],
  ['/api/sessions', 'GET', 'person'],
  ['/api/sessions/{id}', 'GET', 'person'],
  ['/api/usage', 'GET', 'person'],
  ['/api/decisions', 'GET', 'person'],
  ['/api/audit', 'GET', 'viewer'],
  ['/api/health', 'GET', 'viewer'],
  ['/api/openapi.json', 'GET', 'caller'],
  // Pages without anything in them: they ask `/api`.
  ['/console', 'GET', 'anyone'],
  ['/console/', 'GET', 'anyone'],
  ['/console/{page...}', 'GET', 'anyone'],
  ['/healthz', 'GET', 'anyone'],
  ['/readyz', 'GET', 'anyone'],
  ['/metrics', 'GET', 'anyone'],
  ['/cluster/v1', 'POST', 'replica'],
  // What is asked before anybody is known, and answers to whoever proves something to it.
  [/^\/\.well-known\//, '*', 'anyone'],
  ['/oauth/{rest...}', 'own', 'anyone'],
]

const needsOf = ({ needs }: Entrance): string => (typeof needs === 'string' ? needs : needs.role)
const methodsOf = ({ methods }: Entrance): string => (methods === 'own' ? 'own' : methods.join(' '))

let floors: Floors
let ways: readonly Entrance[]
let ask: (method: string, path: string, key?: string, headers?: Record<string, string>) => Promise<number>
/** Signs a person in in a browser. */
let signIn: (person: string) => Promise<{ readonly cookie: string; readonly form: string }>
let origin: string
let close: () => Promise<void>

beforeAll(async () => {
  const { everything, models, ...administrators } = keysOf
  const scopes = ['admin'] as const
  floors = await openFloors({
    config: configOf({
      principals: Object.fromEntries(['everything', 'models', 'stranger', ...Object.keys(administrators)].map((id) => [id, {}])),
      upstreams: { u: { kind: 'scripted', steps: [{ text: 'hi' }] } },
      routes: [{ model: 'm', upstreams: ['u'] }],
      keys: {
        everything: { principal: 'everything', secret: everything.key },
        models: { principal: 'models', secret: models.key, scopes: ['models', 'mcp'] },
        agent: { principal: 'admin', secret: agentOfAdmin, scopes: [...scopes], actor: 'agent' },
        ...Object.fromEntries(
          Object.entries(administrators).map(([id, { key }]) => [id, { principal: id, secret: key, scopes: [...scopes] }]),
        ),
      },
      identity: {
        issuers: { acme: { issuer: 'https://idp.acme.example', audiences: ['turnward'] } },
        scim: { okta: { token: directory, issuer: 'acme' } },
        roles: {
          viewer: { people: ['viewer'] },
          operator: { people: ['operator'] },
          policy_author: { people: ['author'] },
          auditor: { people: ['auditor'] },
          admin: { people: ['admin'] },
        },
      },
    }),
  })
  const empty = { list: async () => [], find: async () => undefined, page: async () => [], count: async () => 0 }
  const tables = {
    people: empty,
    directories: { users: empty, groups: empty },
    keys: empty,
    revocations: { since: async () => [] },
    stops: { standing: async () => [] },
    acts: { count: async () => 0 },
    pins: { held: async () => [], approvals: async () => [] },
    configRevisions: { newest: async () => undefined, find: async () => undefined, list: async () => [] },
    summaries: { list: async () => [], find: async () => undefined, usage: async () => [], unpriced: async () => [] },
  }
  const services = { ...floors.services, store: tables as unknown as Services['store'] }
  const { clock, state, people, vault, secret } = services
  const store = { ...tables, secret } as unknown as SignInRoomParts['store']
  const publicUrl = (): string => origin
  const pages = createSignInRoom({ snapshot: services.snapshot, publicUrl, state, store, people, vault, clock, logger: silentLogger })
  const sessions = new BrowserSessions({
    state,
    clock,
    secret,
    lifetimes: () => ({ idleMs: 3_600_000, longestMs: 3_600_000 }),
    cookies: () => new Cookies(origin),
    rolesOf: ({ person }) => people.roles(person, services.snapshot()),
  })
  const mcp = async (request: Parameters<Entrance['handle']>[0], response: ServerResponse): Promise<void> => {
    const key = request.headers.authorization
    const caller = services.authenticator.authenticate({ headers: { authorization: key } }, services.snapshot(), 'mcp')
    const status = await caller.then(
      () => 200,
      (error: { status: number }) => error.status,
    )
    response.writeHead(status).end()
  }
  const snapshot = services.snapshot()
  const cluster = await joinCluster({
    snapshot: () => ({
      ...snapshot,
      settings: {
        ...snapshot.settings,
        state: { ...snapshot.settings.state, kind: 'valkey' },
        cluster: { replica: 'a', secret: 'the secret that all replicas have', previous_secrets: [] },
      } as typeof snapshot.settings,
    }),
    state: services.state,
    clock: floors.clock,
    logger: silentLogger,
    chain: 'chain',
    worker: 0,
    running: () => 0,
    local: noPeers,
  })
  const health = {
    config: () => undefined,
    store: () => undefined,
    state: () => undefined,
    lastLoss: () => undefined,
    issuers: () => [],
    certificateExpires: () => undefined,
  }
  const server: () => Promise<never> = () => Promise.reject(new Error('nobody has configured it'))
  const rooms = [...oauthEntrances({ snapshot: () => services.snapshot(), server })]
  const entrances = entrancesOf({
    services,
    mcp,
    health,
    cluster,
    isDraining: () => false,
    realtime: new RealtimeDoor(),
    rooms,
    sessions: pages.signIn,
    config: { attempt: async () => services.snapshot(), reload: async () => true, problem: undefined },
  })
  ways = entrances.flatMap((entrance) => entrance.parts ?? [entrance])
  const http = createServer(createDispatch(entrances, () => false))
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  ask = async (method, path, key, more = {}) => {
    const headers = { ...more, ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) }
    const answer = await fetch(`${origin}${path.replaceAll(/\{[\w.]+\}/g, 'x')}`, { method, headers })
    await answer.body?.cancel()
    return answer.status
  }
  signIn = async (person) => {
    const cookies: string[] = []
    const response = { appendHeader: (_name: string, value: string) => cookies.push(value) } as unknown as ServerResponse
    await sessions.begin({ headers: {} } as IncomingMessage, response, { person, issuer: 'acme' })
    const cookie = cookies.at(-1)?.split(';')[0] ?? ''
    const me = (await (await fetch(`${origin}/api/me`, { headers: { cookie } })).json()) as { id: string; form: { value: string } }
    expect(me.id).toBe(person)
    return { cookie, form: me.form.value }
  }
  close = async () => {
    http.closeAllConnections()
    http.close()
    await cluster?.close()
    await floors[Symbol.asyncDispose]()
  }
})
afterAll(() => close?.())

const isRefused = (status: number): boolean => status === 401 || status === 403

const isLine = (entrance: Entrance) => (line: (typeof expected)[number]) =>
  typeof line[0] === 'string'
    ? line[0] === entrance.path && line[1] === methodsOf(entrance) && line[2] === needsOf(entrance)
    : line[0].test(entrance.path) && line[2] === needsOf(entrance)

describe('every way in', () => {
  test('is known with what it needs, and everything that is known is there', () => {
    const unknown = ways.filter((entrance) => !expected.some(isLine(entrance)))
    expect(unknown.map((entrance) => [entrance.path, methodsOf(entrance), needsOf(entrance)])).toEqual([])
    const gone = expected.filter((line) => !ways.some((entrance) => isLine(entrance)(line)))
    expect(gone).toEqual([])
  })

  test('lets in those it is for, and refuses everybody else', async () => {
    const wrong: unknown[] = []
    for (const entrance of ways) {
      const needs = needsOf(entrance)
      const methods = entrance.methods === 'own' ? ['GET', 'POST', 'DELETE'] : entrance.methods
      for (const method of methods) {
        const check = async (who: string, key: string | undefined, mayCome: boolean | undefined): Promise<void> => {
          if (mayCome === undefined) return
          const status = await ask(method, entrance.path, key)
          if (isRefused(status) === mayCome) wrong.push([method, entrance.path, who, status])
        }
        await check('nobody', undefined, needs === 'anyone')
        await check('a directory', directory, needs === 'anyone' || needs === 'scim')
        await check('an agent of an administrator', agentOfAdmin, needs === 'anyone' ? true : needs === 'caller' ? undefined : false)
        for (const [who, { key, roles }] of Object.entries(keysOf)) {
          // A caller has a key that is good for what is behind the entrance; the last test is about the others.
          const isForAdministering = entrance.path.startsWith('/api/')
          const asCaller = (isForAdministering ? who === 'nothing' : who === 'everything') ? true : undefined
          const isOwn = needs === 'person' && who !== 'everything' && who !== 'models'
          const isAllowed = needs === 'anyone' || isOwn || (roles as readonly string[]).includes(needs)
          await check(who, key, needs === 'caller' ? asCaller : isAllowed)
        }
      }
    }
    expect(wrong).toEqual([])
  })

  test('of the administration lets in whoever has signed in and has the role; what changes something, from a page of ours alone', async () => {
    const wrong: unknown[] = []
    const stranger = await signIn('stranger')
    for (const [who, { roles }] of Object.entries(keysOf)) {
      const { cookie, form } = await signIn(who)
      const own = { cookie, origin, 'x-turnward-form': form }
      for (const entrance of ways) {
        const needs = needsOf(entrance)
        if (needs === 'anyone') continue
        const isOurs = entrance.path.startsWith('/api/')
        const isAllowed = isOurs && (needs === 'caller' || needs === 'person' || (roles as readonly string[]).includes(needs))
        for (const method of entrance.methods === 'own' ? ['GET', 'POST', 'DELETE'] : entrance.methods) {
          const check = async (how: string, headers: Record<string, string>, mayCome: boolean): Promise<void> => {
            const status = await ask(method, entrance.path, undefined, headers)
            if (isRefused(status) === mayCome) wrong.push([method, entrance.path, who, how, status])
          }
          await check('from a page of ours', own, isAllowed)
          if (!isOurs || method === 'GET') continue
          await check('with the cookie alone', { cookie }, false)
          await check('without the header', { cookie, origin }, false)
          await check('with the header of another browser', { ...own, 'x-turnward-form': stranger.form }, false)
          await check('from another site', { ...own, origin: 'https://evil.example' }, false)
          await check('from a page that does not say where it is', { cookie, 'x-turnward-form': form }, false)
          await check('from another site, says the browser', { ...own, 'sec-fetch-site': 'cross-site' }, false)
        }
      }
    }
    expect(wrong).toEqual([])
  })

  test('takes a session and a key together only where they are of one person, and then the key counts', async () => {
    const { cookie } = await signIn('admin')
    const statuses = async (key: string): Promise<number[]> => [
      await ask('GET', '/api/me', key, { cookie }),
      await ask('GET', '/api/people', key, { cookie }),
    ]
    expect(await statuses(keysOf.admin.key)).toEqual([200, 200])
    expect(await statuses(keysOf.viewer.key)).toEqual([400, 400])
    // The agent of an administrator gains nothing by a cookie.
    expect(await statuses(agentOfAdmin)).toEqual([200, 403])
    expect(await statuses('tw_key_that_nobody_has_000000000000')).toEqual([401, 401])
    expect(await ask('GET', '/api/me', undefined, { cookie: 'turnward-1-session=x' })).toBe(401)
  })

  test('of a floor is closed to a key that is made for administering, and the other way round', async () => {
    expect([await ask('POST', '/v1/chat/completions', keysOf.admin.key), await ask('POST', '/mcp/main', keysOf.admin.key)]).toEqual([
      403, 403,
    ])
    expect(await ask('GET', '/api/me', keysOf.models.key)).toBe(403)
  })
})
