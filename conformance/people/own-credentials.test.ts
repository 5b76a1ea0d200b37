/** People store provider keys of their own, and of the groups they look after, with the browser they are signed in with. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../../scripts/services/free-port.ts'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { governedConfig, secretEnv, secrets } from '../harness/governed-config.ts'
import { newAccount } from '../harness/local-account.ts'
import { say } from '../harness/model-answer.ts'
import { PageScript } from '../harness/page-script.ts'
import { until } from '../harness/until.ts'
import { startVendor, type Vendor, type VendorReply } from '../harness/vendor.ts'

/** What the vendor knows; whatever else it is shown is no key of its. */
const vendorKeys = { alice: 'sk-of-alice-alone-5d1f', staff: 'sk-of-the-staff-77ab', poor: 'sk-without-a-cent-0c2e' }

let vendor: Vendor
let gateway: RunningGateway
let alice: PageScript
let bob: PageScript
let root: PageScript

const error = (status: number, message: string, code: string): VendorReply => ({
  status,
  headers: { 'content-type': 'application/json' },
  parts: [JSON.stringify({ error: { message, code } })],
})

beforeAll(async () => {
  vendor = await startVendor((request) => {
    const key = (request.headers.authorization ?? '').replace('Bearer ', '')
    if (![...Object.values(vendorKeys), secrets.openai].includes(key)) return error(401, `Incorrect API key: ${key}`, 'invalid_api_key')
    if (key === vendorKeys.poor) return error(429, 'You exceeded your current quota', 'insufficient_quota')
    if (request.method === 'GET') return { headers: { 'content-type': 'application/json' }, parts: ['{"object":"list","data":[]}'] }
    return request.body.model === 'gpt-test' ? say(request, { text: 'hello' }) : error(404, 'The model does not exist', 'model_not_found')
  })
  const usual = governedConfig({ openai: vendor.url, anthropic: vendor.url })
  gateway = await startGateway({
    env: secretEnv,
    config: {
      ...usual,
      listen: { port: await freePort() },
      upstreams: { ...usual['upstreams'], away: { kind: 'openai', base_url: 'http://127.0.0.1:9/v1', credential: 'openai-team' } },
      groups: { staff: { managers: ['alice'] }, others: {} },
      principals: { alice: {}, bob: { groups: ['staff'] } },
      identity: { sign_in: { local: true } },
    },
  })
  const script = async (name: string, role?: string): Promise<PageScript> => {
    const { browser } = await newAccount(gateway, name, 'correct horse battery', role === undefined ? {} : { role })
    return new PageScript(gateway.url, browser)
  }
  alice = await script('alice')
  bob = await script('bob')
  root = await script('root', 'admin')
})
afterAll(async () => {
  await gateway?.stop()
  await vendor?.close()
})

/** The vendor key that a call of somebody went out with. */
async function keyOfCall(key: string): Promise<string> {
  const body = JSON.stringify({ model: 'gpt-test', messages: [{ role: 'user', content: 'hi' }] })
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body,
  })
  expect(answer.status).toBe(200)
  await answer.text()
  return (vendor.last().headers.authorization ?? '').replace('Bearer ', '')
}

const stored = async (script: PageScript): Promise<readonly { readonly id: string; readonly group?: string }[]> =>
  (await script.ask('GET', '/api/me/credentials')).json['credentials'] as { id: string; group?: string }[]

describe('a credential that is no good is not stored, and what is wrong with it is told apart', () => {
  test.each([
    ['credential.refused', 422, { upstream: 'openai', secret: 'sk-of-nobody-3333' }],
    ['credential.refused', 422, { upstream: 'openai', aws: { access_key_id: 'AKIDOFALICE', secret_access_key: vendorKeys.alice } }],
    ['credential.no_quota', 422, { upstream: 'openai', secret: vendorKeys.poor }],
    ['credential.no_model', 422, { upstream: 'openai', secret: vendorKeys.alice, model: 'gpt-unheard-of' }],
    ['credential.untried', 502, { upstream: 'away', secret: vendorKeys.alice }],
    ['request.invalid', 400, { upstream: 'nowhere', secret: vendorKeys.alice }],
    ['request.invalid', 400, { upstream: 'openai' }],
    ['request.invalid', 400, { upstream: 'openai', secret: `${vendorKeys.alice}\r\nhost: evil.example` }],
    ['request.invalid', 400, { upstream: 'openai', secret: `${vendorKeys.alice}\u{1f511}` }],
    ['request.invalid', 400, { upstream: 'openai', google: { service_account: '{"type": "service_account"}' } }],
    ['request.invalid', 400, { upstream: 'openai', [vendorKeys.alice]: 'a secret in the wrong place' }],
  ])('%s', async (code, status, body) => {
    const answer = await alice.ask('POST', '/api/me/credentials', body)
    expect([answer.code, answer.status]).toEqual([code, status])
    for (const secret of ['sk-of-nobody-3333', ...Object.values(vendorKeys)]) expect(answer.text).not.toContain(secret)
    expect(await stored(alice)).toEqual([])
  })

  test('and nothing is stored by a page of another site, or without the proof of the page', async () => {
    const asked = vendor.requests.length
    const body = { upstream: 'openai', secret: vendorKeys.alice }
    for (const headers of [{}, { origin: new URL(gateway.url).origin }, { origin: 'https://evil.example' }]) {
      const { status, code } = await alice.ask('POST', '/api/me/credentials', body, headers)
      expect([status, code]).toEqual([403, 'auth.foreign_request'])
    }
    const signedOut = await alice.ask('POST', '/api/me/credentials', body, { cookie: 'another=1' })
    expect([signedOut.status, signedOut.code]).toEqual([401, 'auth.signed_out'])
    const { status } = await alice.ask('POST', '/api/me/credentials', body, { cookie: '', authorization: `Bearer ${secrets.alice}` })
    expect(status).toBe(403)
    expect(vendor.requests.length).toBe(asked)
  })
})

test('what a person stores is what their calls go out with, and nobody else’s, until it is removed', async () => {
  expect(await keyOfCall(secrets.alice)).toBe(secrets.openai)
  const answer = await alice.ask('POST', '/api/me/credentials', { upstream: 'openai', secret: vendorKeys.alice, model: 'gpt-test' })
  expect(answer).toMatchObject({ status: 200, json: { upstream: 'openai', test: { model: 'gpt-test' } } })
  expect(answer.text).not.toContain(vendorKeys.alice)
  const id = String(answer.json['id'])
  await until('her calls to go out with it', async () => ((await keyOfCall(secrets.alice)) === vendorKeys.alice ? true : undefined))
  expect(await keyOfCall(secrets.bob)).toBe(secrets.openai)
  await gateway.recordThat(({ principal, credential }) => principal === 'alice' && credential === id)
  expect(await stored(alice)).toMatchObject([{ id, upstream: 'openai' }])
  // It is hers: not an administrator's, and not that of somebody who knows its id.
  for (const other of [bob, root]) {
    expect(await stored(other)).toEqual([])
    expect((await other.ask('DELETE', `/api/me/credentials/${id}`)).code).toBe('credential.not_found')
  }
  expect(await alice.ask('DELETE', `/api/me/credentials/${id}`)).toMatchObject({ status: 200, json: { id, removed: true } })
  await until('her calls to go on without it', async () => ((await keyOfCall(secrets.alice)) === secrets.openai ? true : undefined))
  expect((await alice.ask('DELETE', `/api/me/credentials/${id}`)).code).toBe('credential.not_found')
})

test('the key of a group is stored by its managers and by administrators, and used by its members', async () => {
  const body = { upstream: 'openai', group: 'staff', secret: vendorKeys.staff }
  expect((await alice.ask('GET', '/api/me')).json).toMatchObject({ id: 'alice', roles: [], manages: ['staff'] })
  expect((await bob.ask('POST', '/api/me/credentials', body)).code).toBe('auth.role')
  expect((await alice.ask('POST', '/api/me/credentials', { ...body, group: 'others' })).code).toBe('auth.role')
  const { status, json } = await alice.ask('POST', '/api/me/credentials', body)
  expect([status, json['group']]).toEqual([200, 'staff'])
  await until('a member to call with it', async () => ((await keyOfCall(secrets.bob)) === vendorKeys.staff ? true : undefined))
  expect(await keyOfCall(secrets.alice)).toBe(secrets.openai)
  expect(await stored(bob)).toEqual([])
  for (const manager of [alice, root]) expect(await stored(manager)).toMatchObject([{ group: 'staff', upstream: 'openai' }])
  expect((await root.ask('POST', '/api/me/credentials', { ...body, group: 'others' })).status).toBe(200)
  for (const { id } of await stored(root)) expect((await root.ask('DELETE', `/api/me/credentials/${id}`)).status).toBe(200)
  expect(await stored(alice)).toEqual([])
})

test('whoever tries one after the other is stopped', async () => {
  const codes: (string | undefined)[] = []
  for (let attempt = 0; attempt < 21; attempt += 1)
    codes.push((await bob.ask('POST', '/api/me/credentials', { upstream: 'openai', secret: `sk-guess-${attempt}` })).code)
  expect(new Set(codes.slice(0, 19))).toEqual(new Set(['credential.refused']))
  expect(codes.at(-1)).toBe('credential.too_many_attempts')
})

test('no value is in the log, in what is kept, or in a decision', async () => {
  const records = JSON.stringify(await gateway.turnRecords())
  const kept = await Promise.all(
    (await readdir(gateway.dataDir, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(async (entry) => (await readFile(join(entry.parentPath, entry.name))).toString('latin1')),
  )
  for (const secret of [vendorKeys.alice, vendorKeys.staff, 'sk-of-nobody-3333'])
    for (const text of [gateway.logs(), records, ...kept]) expect(text.includes(secret)).toBe(false)
})
