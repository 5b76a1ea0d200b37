/** What administrators do with the command line while a gateway runs: on its record, and found over the API. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { until } from '../harness/until.ts'

const root = 'tw_key_of_an_administrator_0000000'
let gateway: RunningGateway

interface Change {
  readonly act: string
  readonly by: string
  readonly via: string | null
  readonly subject: string
  readonly reason: string
}

beforeAll(async () => {
  gateway = await startGateway({
    config: {
      listen: { port: 0 },
      principals: { root: {}, alice: {} },
      keys: { root: { principal: 'root', secret: root, scopes: ['admin'] } },
      identity: {
        roles: { admin: { people: ['root'] } },
        sign_in: { local: true },
        oauth: {},
      },
      upstreams: { vendor: { kind: 'openai', base_url: 'http://127.0.0.1:9/v1', credential: 'none' } },
      servers: { web: { transport: 'http', url: 'http://127.0.0.1:9/mcp', auth: { kind: 'person_header', header: 'x-key' } } },
    },
  })
})
afterAll(() => gateway?.stop())

async function audit(query = ''): Promise<{ readonly changes: readonly Change[]; readonly waiting: number }> {
  const answer = await fetch(`${gateway.url}/api/audit${query}`, { headers: { authorization: `Bearer ${root}` } })
  expect(answer.status).toBe(200)
  return (await answer.json()) as { changes: Change[]; waiting: number }
}

async function done(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await gateway.cli(args)
  expect([args, code, stderr]).toEqual([args, 0, ''])
  return stdout
}

test('each verb that changes the store is on record, with the user of the machine', async () => {
  const made = JSON.parse(await done('keys', 'create', '--principal', 'alice', '--json')) as { id: string; key: string }
  await done('keys', 'rotate', made.id)
  await done('keys', 'revoke', made.key)
  await done('people', 'roles', 'alice', 'viewer')
  await done('people', 'disable', 'alice')
  await done('people', 'enable', 'alice')
  await done('accounts', 'add', 'bob', '--role', 'operator')
  await done('accounts', 'reset', 'bob')
  await done('accounts', 'remove', 'bob')
  const stored = await gateway.cli(['credentials', 'add', '--for', 'alice', '--upstream', 'vendor', '--no-test'], 'a-secret-of-alice')
  expect([stored.code, stored.stderr]).toEqual([0, ''])
  await done('credentials', 'remove', '--for', 'alice', '--upstream', 'vendor')
  await done('credentials', 'rewrap')
  const set = await gateway.cli(['links', 'set', 'alice', 'web'], 'a-secret-of-alice')
  expect([set.code, set.stderr]).toEqual([0, ''])
  await done('links', 'remove', 'alice', 'web')
  await done('oauth', 'rotate-keys')
  await done('stop', 'agent', 'intern', '--reason', 'why not')
  const expected = [
    'accounts.add',
    'accounts.remove',
    'accounts.reset',
    'credentials.remove',
    'credentials.rewrap',
    'credentials.store',
    'keys.create',
    'keys.revoke',
    'keys.rotate',
    'links.remove',
    'links.set',
    'oauth.rotate_keys',
    'people.disable',
    'people.enable',
    'people.roles',
    'stops.make',
  ]
  const { changes } = await until('all of it on record', async () => {
    const answer = await audit()
    return answer.waiting === 0 && answer.changes.length >= expected.length ? answer : undefined
  })
  expect(changes.map(({ act }) => act).toSorted()).toEqual(expected)
  expect(changes.filter(({ by }) => !/ \(turnward /.test(by))).toEqual([])
  const text = JSON.stringify(changes)
  for (const secret of [made.key, 'a-secret-of-alice']) expect(text).not.toContain(secret)
  const acts = async (query: string): Promise<string[]> => (await audit(query)).changes.map(({ act }) => act)
  expect(await acts('?area=keys')).toEqual(['keys.revoke', 'keys.rotate', 'keys.create'])
  expect(await acts('?subject=bob&q=ROLES')).toEqual(['accounts.add'])
  expect(await acts('?area=stops')).toEqual(['stops.make'])
  expect(await acts('?by=root')).toEqual([])
  expect((await gateway.cli(['audit', 'verify'])).code).toBe(0)
})

test('a verb that is refused changes nothing, and is on record only where it was about to', async () => {
  const before = (await audit()).changes.length
  expect((await gateway.cli(['keys', 'revoke', 'key_nobody_has'])).code).toBe(1)
  expect([(await audit()).changes.length, (await audit()).waiting]).toEqual([before, 0])
})
