/** Objects of the configuration that are made over the API, at whole gateways on both kinds of store. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Json } from '../../../conformance/harness/json.ts'
import { silentLogger } from '../core/logger.ts'
import { gatewayBackends } from './gateway-backends.fixture.ts'
import { openGateway, type Gateway } from './gateway.ts'

const keys = {
  root: 'tw_key_of_an_administrator_0000000',
  other: 'tw_key_of_an_administrator_1111111',
  alice: 'tw_key_of_alice_for_models_000000',
}
const admin = { scopes: ['admin'] }

/** The file of each gateway, apart from where it keeps everything. */
const file = {
  listen: { port: 0 },
  principals: { root: {}, other: {}, alice: {} },
  keys: {
    root: { principal: 'root', secret: keys.root, ...admin },
    other: { principal: 'other', secret: keys.other, ...admin },
    alice: { principal: 'alice', secret: keys.alice },
  },
  identity: { roles: { admin: { people: ['root', 'other'] } } },
  upstreams: { local: { kind: 'scripted', steps: [{ text: 'hello' }] } },
  routes: [{ model: 'filed', upstreams: ['local'] }],
  grants: [{ principals: ['alice'], models: ['*'] }],
  managed: { references: ['VENDOR_*'] },
}

interface Answer {
  readonly status: number
  readonly etag: string | null
  readonly text: string
  readonly json: Json
}

describe.each(gatewayBackends)('on $name', ({ name, isMissing, make }) => {
  let folder: string
  let sections: object
  let drop: () => Promise<void>
  const open: Gateway[] = []

  beforeAll(async () => {
    if (isMissing) return
    folder = await mkdtemp(join(tmpdir(), 'turnward-managed-'))
    ;({ sections, drop } = await make())
  })
  afterEach(async () => {
    for (const gateway of open.splice(0)) await gateway.close()
  })
  afterAll(async () => {
    await drop?.()
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  })

  async function write(changes: object = {}, replica = 'a'): Promise<string> {
    const path = join(folder, `${replica}.yaml`)
    const cluster = 'cluster' in sections ? { cluster: { ...(sections.cluster as object), replica } } : {}
    await writeFile(path, JSON.stringify({ ...file, ...sections, ...cluster, data_dir: `data-${replica}`, ...changes }))
    return path
  }

  async function start(changes: object = {}, replica = 'a'): Promise<Gateway> {
    const configPath = await write(changes, replica)
    const gateway = await openGateway({ configPath, env: { VENDOR_KEY: 'of the vendor' }, logger: silentLogger })
    open.push(gateway)
    return gateway
  }

  async function stop(gateway: Gateway): Promise<void> {
    open.splice(open.indexOf(gateway), 1)
    await gateway.close()
  }

  async function ask(
    { url }: Gateway,
    line: string,
    body?: unknown,
    headers: Record<string, string> = {},
    key = keys.root,
  ): Promise<Answer> {
    const [method = 'GET', path = ''] = line.split(' ')
    const answer = await fetch(`${url}/api/config${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, etag: answer.headers.get('etag'), text, json: JSON.parse(text) }
  }

  async function call({ url }: Gateway, model: string): Promise<{ readonly status: number; readonly text: string }> {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keys.alice}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] }),
    })
    return { status: answer.status, text: await answer.text() }
  }

  const route = (model: string, more: object = {}): object => ({ model, upstreams: ['local'], ...more })

  describe.skipIf(isMissing)('objects of the configuration', () => {
    test('are made, seen beside those of the file, replaced by who has seen them, and taken away', async () => {
      const gateway = await start()
      const made = await ask(gateway, 'PUT /routes/chat?reason=for+the+team', route('chat'), { 'if-none-match': '*' })
      expect(made.json).toMatchObject({ applied: true, running: true, changes: [{ kind: 'routes', name: 'chat', change: 'added' }] })
      expect((await call(gateway, 'chat')).status).toBe(200)

      const listed = await ask(gateway, 'GET /routes')
      expect(listed.json.objects).toMatchObject([
        { name: '0', managed: 'file', place: { source: gateway.config.current.files[0], line: 1 }, value: route('filed') },
        { name: 'chat', managed: 'console', value: route('chat') },
      ])
      expect((await ask(gateway, 'GET /routes?limit=1')).json).toMatchObject({ objects: [{ name: '0' }], next: '0' })
      expect((await ask(gateway, 'GET /routes?limit=1&after=0')).json.objects).toMatchObject([{ name: 'chat' }])
      expect((await ask(gateway, 'GET /routes?managed=console')).json.objects).toMatchObject([{ name: 'chat' }])

      const { etag } = await ask(gateway, 'GET /routes/chat')
      expect(etag).toBe(made.etag)
      const other = route('chat', { description: 'for everybody' })
      expect(await ask(gateway, 'PUT /routes/chat', other)).toMatchObject({ status: 428, json: { error: { code: 'config.tag_needed' } } })
      expect(await ask(gateway, 'PUT /routes/chat', other, { 'if-none-match': '*' })).toMatchObject({ status: 412 })
      expect(await ask(gateway, 'PUT /routes/chat', other, { 'if-match': '"other"' })).toMatchObject({ status: 412 })
      expect(await ask(gateway, 'DELETE /routes/chat', undefined, { 'if-match': '"other"' })).toMatchObject({ status: 412 })
      expect(await ask(gateway, 'PUT /routes/chat', other, { 'if-match': etag ?? '' })).toMatchObject({ status: 200 })
      expect(await ask(gateway, 'DELETE /routes/chat', undefined, { 'if-match': etag ?? '' })).toMatchObject({ status: 412 })

      expect((await ask(gateway, 'DELETE /routes/chat', undefined, { 'if-match': '*' })).json).toMatchObject({ applied: true })
      expect((await ask(gateway, 'GET /routes/chat')).status).toBe(404)
      expect((await call(gateway, 'chat')).status).toBe(404)
    })

    test('of the file are read-only, and say where they are', async () => {
      const gateway = await start()
      for (const [line, body] of [
        ['PUT /upstreams/local', { kind: 'ollama' }],
        ['DELETE /upstreams/local', undefined],
        ['DELETE /routes/0', undefined],
      ] as const) {
        const { status, json } = await ask(gateway, line, body, { 'if-match': '*' })
        expect([status, json.error.code]).toEqual([409, 'config.owned_by_file'])
        expect(json.error.why).toContain(`${gateway.config.current.files[0]}:1:`)
      }
    })

    test('that do not go with the rest change nothing, and say every problem with its place', async () => {
      const gateway = await start()
      const before = await ask(gateway, 'GET ')
      const broken = { model: 'broken', upstreams: ['nowhere', 'local'], guards: ['none'] }
      const refused = await ask(gateway, 'PUT /routes/broken', broken)
      expect(refused).toMatchObject({ status: 422, json: { error: { code: 'config.not_compiled', subject: 'routes/broken' } } })
      expect(refused.json.error.why).toMatch(/no upstream `nowhere`.*no guard/s)
      const trial = await ask(gateway, 'PUT /routes/broken?dry_run=true', broken)
      expect(trial.json).toMatchObject({
        applied: false,
        changes: [{ change: 'added', after: broken }],
        problems: [{ object: 'routes/broken', path: 'routes[1].upstreams[0]', place: { source: 'console' } }, { object: 'routes/broken' }],
      })
      const good = await ask(gateway, 'PUT /routes/good?dry_run=true', route('good'))
      expect(good.json).toMatchObject({ applied: false, problems: [] })
      expect((await ask(gateway, 'GET ')).json).toEqual(before.json)
      expect((await call(gateway, 'good')).status).toBe(404)
    })

    test('hold no secrets: they refer to what the file allows, and what is written out is refused and not said again', async () => {
      const gateway = await start()
      const secret = 'correct-horse-battery-staple'
      for (const line of ['PUT /credentials/vendor', 'PUT /credentials/vendor?dry_run=true']) {
        const refused = await ask(gateway, line, { secret })
        expect(refused.text).toContain('config.literal_secret')
        expect(refused.text).not.toContain(secret)
      }
      expect((await ask(gateway, 'PUT /credentials/vendor', { secret: '${HOME}' })).json.error.why).toContain(
        '`HOME` may not be referred to',
      )
      expect((await ask(gateway, 'PUT /credentials/vendor', { secret: '${VENDOR_KEY}' })).status).toBe(200)
      expect(gateway.config.current.credentials.get('vendor')).toMatchObject({ secret: 'of the vendor' })
      const exported = await ask(gateway, 'GET /export')
      expect(exported.json.objects.credentials).toEqual({ vendor: { secret: '${VENDOR_KEY}' } })
      expect((await ask(gateway, 'GET /keys')).text).not.toContain(keys.alice)
    })

    test('are exported and applied as one: the same changes nothing, what somebody has changed meanwhile is not overwritten', async () => {
      const gateway = await start()
      await ask(gateway, 'PUT /routes/one', route('one'))
      const exported = (await ask(gateway, 'GET /export')).json
      expect((await ask(gateway, 'POST /apply', exported)).json).toEqual({
        revision: exported.revision,
        running: true,
        applied: false,
        changes: [],
        problems: [],
      })
      const { one: _gone, ...routes } = exported.objects.routes
      const next = { ...exported, objects: { ...exported.objects, routes: { ...routes, two: route('two') } } }
      expect((await ask(gateway, 'POST /diff', next)).json.changes).toMatchObject([
        { name: 'one', change: 'removed' },
        { name: 'two', change: 'added' },
      ])
      expect((await ask(gateway, 'POST /check', next)).json).toEqual({ compiles: true, problems: [] })
      const half = { ...next, objects: { ...next.objects, grants: { none: { principals: ['nobody'] } } } }
      expect(await ask(gateway, 'POST /apply', half)).toMatchObject({ status: 422 })
      expect((await ask(gateway, 'GET /export')).json).toEqual(exported)
      expect(await ask(gateway, 'POST /apply', { objects: next.objects })).toMatchObject({ status: 428 })
      expect((await ask(gateway, 'POST /apply', next)).json).toMatchObject({ applied: true, revision: exported.revision + 1 })
      expect(await ask(gateway, 'POST /apply', exported)).toMatchObject({ status: 412 })
      expect([(await call(gateway, 'one')).status, (await call(gateway, 'two')).status]).toEqual([404, 200])
    })

    test('have a history of who, when and why, on the decision log too, and go back to any of it', async () => {
      const gateway = await start()
      const from: number = (await ask(gateway, 'GET ')).json.revision
      const records = vi.spyOn(gateway.services.log, 'appendDurably')
      await ask(gateway, 'PUT /routes/past?reason=a+trial', route('past'))
      await ask(gateway, 'PUT /routes/past', route('past', { description: 'again' }), { 'if-match': '*' }, keys.other)
      const { revisions } = (await ask(gateway, 'GET /revisions?limit=2')).json
      expect(revisions).toMatchObject([
        { revision: from + 2, by: 'other', reason: null, summary: 'put routes/past' },
        { revision: from + 1, by: 'root', reason: 'a trial' },
      ])
      expect(records.mock.calls.map(([{ kind, principal, subject, rules }]) => [kind, principal, subject, rules])).toEqual([
        ['configuration', 'root', 'put routes/past', [`revision ${from + 1}`]],
        ['configuration', 'other', 'put routes/past', [`revision ${from + 2}`]],
      ])
      const last = (await ask(gateway, `GET /revisions/${from + 2}`)).json
      expect(last.changes).toMatchObject([{ name: 'past', change: 'changed', after: { description: 'again' } }])
      expect((await ask(gateway, `POST /revisions/${from + 1}/rollback?dry_run=true`)).json).toMatchObject({
        applied: false,
        changes: [{}],
      })
      const back = await ask(gateway, `POST /revisions/${from + 1}/rollback?reason=no+good`)
      expect(back.json).toMatchObject({ applied: true, revision: from + 3 })
      expect((await ask(gateway, 'GET /routes/past')).json.value).toEqual(route('past'))
      expect(await ask(gateway, 'POST /revisions/99999/rollback')).toMatchObject({ status: 404 })
    })

    test('that two people change at a time are changed by one of them; different ones by both', async () => {
      const gateway = await start()
      const { etag } = await ask(gateway, 'PUT /routes/shared', route('shared'))
      const put = (object: string, text: string, tag: Record<string, string>): Promise<Answer> =>
        ask(gateway, `PUT /routes/${object}`, route(object, { description: text }), tag)
      const same = await Promise.all([
        put('shared', 'mine', { 'if-match': etag ?? '' }),
        put('shared', 'theirs', { 'if-match': etag ?? '' }),
      ])
      expect(same.map(({ status }) => status).toSorted()).toEqual([200, 412])
      const different = await Promise.all([put('left', 'mine', {}), put('right', 'theirs', {})])
      expect(different.map(({ status }) => status)).toEqual([200, 200])
      expect(Object.keys((await ask(gateway, 'GET /export')).json.objects.routes)).toEqual(
        expect.arrayContaining(['left', 'right', 'shared']),
      )
    })

    test('go together with a file that is edited; an edit that does not go with them is not taken', async () => {
      const gateway = await start()
      await ask(gateway, 'PUT /routes/kept', route('kept'))
      await write({ routes: [...file.routes, route('edited')] })
      expect(await gateway.config.reload('test')).toBe(true)
      expect([(await call(gateway, 'kept')).status, (await call(gateway, 'edited')).status]).toEqual([200, 200])
      await write({ upstreams: { renamed: file.upstreams.local }, routes: [] })
      expect(await gateway.config.reload('test')).toBe(false)
      expect((await ask(gateway, 'GET ')).json.running.problem).toContain('no upstream `local`')
      expect([(await call(gateway, 'kept')).status, (await call(gateway, 'edited')).status]).toEqual([200, 200])
    })

    test('are there after a restart; those that do not go with a file that was changed meanwhile are left out', async () => {
      const before = await start()
      const all = (await ask(before, 'GET /export')).json
      const objects = { templates: { greeting: { messages: [{ role: 'user', text: 'hi' }] } }, routes: { chat: route('chat') } }
      expect((await ask(before, 'POST /apply', { ...all, objects })).json.applied).toBe(true)
      await stop(before)
      const after = await start({ templates: { greeting: { messages: [{ role: 'user', text: 'of the file' }] } } })
      expect((await call(after, 'chat')).status).toBe(200)
      const running = (await ask(after, 'GET ')).json
      expect(running.running).toMatchObject({ revision: running.revision, left_out: ['templates/greeting'], holds_calls: false })
      const ready = await fetch(`${after.url}/readyz`)
      expect([ready.status, await ready.json()]).toMatchObject([200, { managed: { left_out: ['templates/greeting'] } }])
      expect(await (await fetch(`${after.url}/metrics`)).text()).toMatch(/turnward_config_left_out(\{[^}]*\})? 1/)
      const mended = await ask(after, 'DELETE /templates/greeting', undefined, { 'if-match': '*' })
      expect(mended.json).toMatchObject({ applied: true })
      expect((await ask(after, 'GET ')).json.running).toMatchObject({ left_out: [] })
    })

    test('that restrict calls and cannot be used hold all calls until somebody has mended it', async () => {
      const before = await start()
      const all = (await ask(before, 'GET /export')).json
      const limits = { few: { count: 'requests', limit: 100, window: '1h' } }
      expect((await ask(before, 'POST /apply', { ...all, objects: { limits, routes: { chat: route('chat') } } })).json.applied).toBe(true)
      await stop(before)
      const after = await start({ limits: { rules: [{ name: 'few', count: 'requests', limit: 5000, window: '1h' }] } })
      expect(await call(after, 'chat')).toMatchObject({ status: 503, text: expect.stringContaining('config.managed_conflict') })
      const ready = await fetch(`${after.url}/readyz`)
      expect([ready.status, await ready.json()]).toMatchObject([503, { managed: { left_out: ['limits/few'] } }])
      expect((await ask(after, 'DELETE /limits/few', undefined, { 'if-match': '*' })).json).toMatchObject({ applied: true })
      expect((await call(after, 'chat')).status).toBe(200)
      expect((await fetch(`${after.url}/readyz`)).status).toBe(200)
    })

    test.skipIf(name === 'sqlite')('that are made at one replica run at the other, and of two changes at a time one is made', async () => {
      const [one, other] = [await start(), await start({}, 'b')]
      const { etag, json } = await ask(one, 'PUT /routes/replicated', route('replicated'))
      await vi.waitFor(() => expect(other.config.current.managed.revision).toBe(json.revision), { timeout: 90_000, interval: 50 })
      expect((await call(other, 'replicated')).status).toBe(200)
      const both = await Promise.all(
        [one, other].map((gateway, at) =>
          ask(gateway, 'PUT /routes/replicated', route('replicated', { description: `${at}` }), { 'if-match': etag ?? '' }),
        ),
      )
      expect(both.map(({ status }) => status).toSorted()).toEqual([200, 412])
    })
  })
})
