/** Every line of the administration API that changes something: it is on record before it is done, and not done when it cannot be. */
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { actRecorder } from '../admin/administration-record.ts'
import type { ApiRoute } from '../admin/api-route.ts'
import { recordActs } from '../admin/recording-acts.ts'
import { administered } from '../audit/reading/administered.ts'
import { vaultOf } from '../identity/vault/opening-vault.ts'
import { configOf, openFloors, type Floors } from '../invariants/floors.fixture.ts'
import { RecordingLog } from '../invariants/recording-log.fixture.ts'
import { storeBackends, type TestStores } from '../store/backends.fixture.ts'
import type { Store } from '../store/store.ts'
import type { Services } from '../turns/services.ts'
import { allApiRoutes } from './entrances.ts'
import { noteAct } from './noting-act.ts'

class BreakableLog extends RecordingLog {
  isBroken = false
  override breaks = () => this.isBroken
  override health(): string | undefined {
    return this.isBroken ? 'a test broke it' : undefined
  }
}

interface Asked {
  readonly parameters?: Readonly<Record<string, string>>
  readonly query?: object
  readonly body?: unknown
  readonly headers?: object
}

interface Change {
  /** What is on record of it. */
  readonly act: string
  /** What is there before it, made without the API; and how it is asked for. */
  readonly ask: (store: Store) => Promise<Asked>
  /** Stopping something waits for no disk: it is stored as not yet on record. */
  readonly isNeverRefused?: true
}

let vendor = ''
const alice = 'alice'
const anObject = { kind: 'limits', name: 'mine' }
const limit = { per: 'person', count: 'requests', window: 'minute', most: 5 }
const aKey = async ({ keys }: Store): Promise<Asked> => ({ parameters: { id: (await keys.list())[0]?.id ?? '' } })
const aRevision = async (): Promise<Asked> => ({ parameters: { number: '1' } })

/**
 * Every line that is not read with GET. What is not here yet fails: add it, with what is on record of it. `nothing`: it changes nothing.
 * A file: its tests show it.
 */
const lines: Readonly<Record<string, Change | 'nothing' | { readonly shownBy: string }>> = {
  'POST /api/keys': { act: 'keys.create', ask: async () => ({ body: { principal: alice } }) },
  'POST /api/keys/{id}/rotate': { act: 'keys.rotate', ask: async (store) => ({ ...(await aKey(store)), body: {} }) },
  'DELETE /api/keys/{id}': { act: 'keys.revoke', ask: aKey },
  'PATCH /api/people/{id...}': { act: 'people.disable', ask: async () => ({ parameters: { id: alice }, body: { active: false } }) },
  'POST /api/me/credentials': {
    act: 'credentials.store',
    ask: async () => ({ body: { upstream: 'vendor', secret: 'a-secret-of-the-vendor' } }),
  },
  'DELETE /api/me/credentials/{id...}': {
    act: 'credentials.remove',
    ask: async ({ secrets }) => ({ parameters: { id: (await secrets.list({}))[0]?.id ?? '' } }),
  },
  'POST /api/stops': { act: 'stops.make', isNeverRefused: true, ask: async () => ({ body: { kind: 'agent', name: 'a' } }) },
  'DELETE /api/stops/{id...}': {
    act: 'stops.lift',
    ask: async ({ stops }) => ({ parameters: { id: (await stops.standing(0))[0]?.id ?? '' } }),
  },
  'PUT /api/config/{kind}/{name}': { act: 'configuration.change', ask: async () => ({ parameters: anObject, query: {}, body: limit }) },
  'POST /api/config/apply': {
    act: 'configuration.change',
    ask: async () => ({ query: {}, body: { revision: 1, objects: { limits: { other: limit } } } }),
  },
  'DELETE /api/config/{kind}/{name}': {
    act: 'configuration.change',
    ask: async () => ({ parameters: { kind: 'limits', name: 'other' }, query: {}, headers: { 'if-match': '*' } }),
  },
  'POST /api/config/revisions/{number}/rollback': { act: 'configuration.change', ask: async () => ({ ...(await aRevision()), query: {} }) },
  'POST /api/approvals/{id}/approve': { shownBy: 'gateway/src/turns/approvals/ruling.test.ts' },
  'POST /api/approvals/{id}/deny': { shownBy: 'gateway/src/turns/approvals/ruling.test.ts' },
  'POST /api/servers/{name}/restart': { shownBy: 'conformance/mcp/servers-and-tools.test.ts' },
  'POST /api/tools/{server}/{tool}/accept': { shownBy: 'conformance/mcp/servers-and-tools.test.ts' },
  'POST /api/tools/{server}/{tool}/try': { shownBy: 'conformance/mcp/servers-and-tools.test.ts' },
  'POST /api/config/check': 'nothing',
  'POST /api/config/diff': 'nothing',
  'POST /api/policy/check': 'nothing',
  'POST /api/policy/replay': 'nothing',
  'POST /api/policy/simulate': 'nothing',
}

describe.each(storeBackends.filter(({ isMissing }) => !isMissing))('on $name', ({ make }) => {
  const log = new BreakableLog()
  let stores: TestStores
  let store: Store
  let floors: Floors
  let routes: readonly ApiRoute[]
  const server = createServer((_request, response) => response.end('{"object":"list","data":[]}'))

  beforeAll(async () => {
    stores = await make()
    store = await stores.open()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    vendor = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    floors = await openFloors({
      log,
      stops: store,
      config: configOf({ upstreams: { vendor: { kind: 'openai-compatible', base_url: vendor, credential: 'none' } } }),
    })
    const { snapshot } = floors.services
    const services: Services = { ...floors.services, store, secret: store.secret, vault: vaultOf(store, snapshot) }
    const config = { attempt: async () => snapshot(), reload: async () => true, problem: undefined }
    const nothing = (): undefined => undefined
    const health = { config: nothing, store: nothing, state: nothing, lastLoss: nothing, issuers: () => [], certificateExpires: nothing }
    routes = allApiRoutes({ services, config, health, cluster: undefined, isDraining: () => false })
  })
  afterAll(async () => {
    server.close()
    await floors?.[Symbol.asyncDispose]()
    await stores?.[Symbol.asyncDispose]()
  })

  const nameOf = ({ method, path }: ApiRoute): string => `${method} ${path}`
  const run = async (route: ApiRoute, { parameters = {}, query, body, headers = {} }: Asked): Promise<unknown> =>
    route.run({
      administrator: { id: 'root', groups: [], roles: ['admin'], isPerson: true, form: undefined },
      parameters,
      query: route.query?.parse(query ?? {}),
      body: route.body?.parse(body),
      request: { headers },
      response: { setHeader() {} },
    } as unknown as Parameters<ApiRoute['run']>[0])
  /** What administrators can change, as it is stored. */
  const stored = async (): Promise<string> => {
    const people = (await store.people.list('', 100)).map(({ id, active }) => [id, active])
    const secrets = (await store.secrets.list({})).map(({ id, version }) => [id, version])
    return JSON.stringify(
      [await store.keys.list(), people, secrets, await store.stops.standing(0), await store.configRevisions.newestNumber()],
      (_key, value: unknown) => (value instanceof Map ? [...value] : value),
    )
  }

  test('every line that could change something is known', () => {
    const changing = routes.filter(({ method }) => method !== 'GET').map(nameOf)
    expect(changing.toSorted()).toEqual(Object.keys(lines).toSorted())
  })

  test('what is done is on record before it is done, in words that say who and what; what cannot be recorded is not done', async () => {
    for (const [name, line] of Object.entries(lines)) {
      if (line === 'nothing' || 'shownBy' in line) continue
      const route = routes.find((one) => nameOf(one) === name)
      if (route === undefined) throw new Error(name)
      const asked = await line.ask(store)
      const before = await stored()
      const records = log.records.length
      log.isBroken = true
      if (line.isNeverRefused) {
        await run(route, asked)
        expect([name, await stored()]).not.toEqual([name, before])
      } else {
        await expect(run(route, asked), name).rejects.toMatchObject({ code: 'audit.unwritable' })
        expect([name, await stored()]).toEqual([name, before])
      }
      expect([name, log.records.length]).toEqual([name, records])
      log.isBroken = false
      if (line.isNeverRefused) await floors.services.stops.look()
      else await run(route, asked)
      expect([name, await stored()]).not.toEqual([name, before])
      const [record, ...more] = log.records.slice(records)
      expect([name, more, record && administered(record)]).toMatchObject([name, [], { act: line.act, by: 'root' }])
      expect(JSON.stringify(record)).not.toContain('a-secret-of-the-vendor')
    }
  })

  test('what the command line does is on record once a gateway sees it noted, and waits while the log cannot be written', async () => {
    await noteAct(store, { verb: 'turnward keys', act: 'keys.revoke', subject: 'keys of alice', reason: 'Revokes key key_1.' })
    const [noted] = await store.acts.unrecorded()
    const record = () => recordActs(store.acts, log, { time: floors.clock.now(), revision: 'r' })
    const records = log.records.length
    log.isBroken = true
    await expect(record()).rejects.toMatchObject({ code: 'audit.unwritable' })
    expect([await store.acts.count(), log.records.length]).toEqual([1, records])
    log.isBroken = false
    await Promise.all([record(), record()])
    expect(await store.acts.count()).toBe(0)
    const made = log.records.slice(records)
    expect(made).toMatchObject([
      { id: noted?.id, kind: 'configuration', principal: noted?.by, administration: { act: 'keys.revoke', via: 'command' } },
    ])
    expect(noted?.by).toMatch(/ \(turnward keys\)$/)
    // While no gateway ran: a log is in the order of its times.
    const now = floors.clock.now()
    await store.acts.note({ id: 'dec_old', time: now - 86_400_000, by: 'ops', act: 'keys.revoke', subject: 's', reason: 'Revokes.' })
    await record()
    expect(log.records.at(-1)).toMatchObject({
      id: 'dec_old',
      time: now,
      reason: `Revokes. Noted ${new Date(now - 86_400_000).toISOString()}.`,
    })
  })
})

test('the record of an act is waited for', async () => {
  const held = Promise.withResolvers<void>()
  const record = actRecorder({
    log: { appendDurably: () => held.promise },
    clock: { now: () => 1, monotonic: () => 1 },
    snapshot: () => ({ revision: 'r' }),
  })
  let isDone = false
  const done = record({ id: 'root' }, { act: 'keys.revoke', subject: 's', rules: ['role admin'], reason: 'r' }).then(() => (isDone = true))
  await Promise.resolve()
  expect(isDone).toBe(false)
  held.resolve()
  expect(await done).toBe(true)
})

/** Files of the command line that open the store, and why nothing has to be noted there. What is not here yet fails: note what it changes. */
const openOnly: Readonly<Record<string, string>> = {
  'demo/demo-account.ts': 'an account of a demo, whose store ends with it',
  'doctor/store-checks.ts': 'reads',
  'places.ts': 'says where it is',
  'on-store.ts': 'opens it for verbs',
  'with-vault.ts': 'opens it for verbs',
  'opening-config.ts': 'is the gateway',
  'policy/replaying/replay.ts': 'reads',
  'servers/known-server-tools.ts': 'reads',
  'verbs/access.ts': 'reads',
  'verbs/turns.ts': 'reads',
  'verbs/store.ts': 'copies a whole installation, with what is not on record yet',
  'verbs/stop.ts': 'a stop is stored as not on record yet',
}

test('every verb that opens the store notes what it changes, or changes nothing', () => {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !/\.(?:test|fixture)\.ts$/.test(path),
  )
  const opening = files.filter((path) => {
    const text = readFileSync(join(import.meta.dirname, path), 'utf8')
    return /\b(?:openStore|openPostgresStore|openSqliteStore|withVault|onStore|withStore)\(/.test(text) && !text.includes('noteAct(')
  })
  expect(opening.toSorted()).toEqual(Object.keys(openOnly).toSorted())
})
