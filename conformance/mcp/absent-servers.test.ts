/** Servers that are starting or down: their names stay theirs, lists say what is missing, and calls are answered with why. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { until } from '../harness/until.ts'
import { connectClient, toolNames } from './official-client.ts'
import { modernRequest, type RpcAnswer } from './raw-rpc.ts'
import { startSwitched, type SwitchedServer } from './switched-server.ts'
import { serversReady } from './upstream-servers.ts'

const ada = 'tw_conformance_ada_000000000001'
/** May use what `plain` has, and nothing of `other`. */
const bob = 'tw_conformance_bob_000000000002'

function configOf(servers: Readonly<Record<string, SwitchedServer>>, more: object = {}): object {
  return {
    principals: { ada: {}, bob: {} },
    keys: { ada: { principal: 'ada', secret: ada }, bob: { principal: 'bob', secret: bob } },
    grants: [
      { principals: ['ada'], gateways: ['*'], tools: ['*'] },
      { principals: ['bob'], gateways: ['*'], tools: ['plain__*'] },
    ],
    policy: { posture: 'observe' },
    servers: Object.fromEntries(Object.entries(servers).map(([name, { url }]) => [name, { transport: 'http', url }])),
    gateways: { main: { servers: Object.keys(servers) }, bare: { servers: Object.keys(servers), names: 'original' } },
    ...more,
  }
}

/** `gateway`: `bare` shows the names that servers have given. */
function call({ url }: RunningGateway, name: string, key = ada, gateway = 'main'): Promise<RpcAnswer> {
  return modernRequest({ url: `${url}/mcp/${gateway}`, key }, 'tools/call', { name, arguments: {} })
}

const list = async ({ url }: RunningGateway, key = ada): Promise<Json> =>
  (await modernRequest({ url: `${url}/mcp/main`, key }, 'tools/list')).message['result'] as Json
const errorOf = ({ message }: RpcAnswer): Json => ((message['error'] ?? {}) as Json)['data'] as Json
const readiness = async ({ url }: RunningGateway): Promise<{ status: number; body: Json }> => {
  const response = await fetch(`${url}/readyz`)
  return { status: response.status, body: (await response.json()) as Json }
}

describe('a name that begins with the name of a server', () => {
  test('never runs on another server that has a tool of that name, also while the first is down', async () => {
    await using plain = await startSwitched(['other__echo', 'unlisted__echo'])
    await using other = await startSwitched(['echo'], 'broken')
    await using gateway = await startGateway({ config: configOf({ plain, other }) })
    await until('the server to be down', async () =>
      JSON.stringify((await readiness(gateway)).body['missing'] ?? {}).includes('other') ? true : undefined,
    )

    for (const shown of ['main', 'bare'])
      expect(errorOf(await call(gateway, 'other__echo', ada, shown)), shown).toMatchObject({
        code: 'mcp.server_unavailable',
        subject: 'other',
      })
    expect(errorOf(await call(gateway, 'unlisted__echo'))).toMatchObject({ code: 'grant.tool' })
    expect(plain.calls).toEqual([])
    // The same tools of `plain` by their own names, and a bare name that belongs to no server.
    for (const name of ['plain__other__echo', 'unlisted__echo'])
      expect((await call(gateway, name, ada, 'bare')).message['error'], name).toBeUndefined()
    expect(plain.calls).toEqual(['other__echo', 'unlisted__echo'])

    other.become('up')
    await serversReady(gateway.url)
    await call(gateway, 'other__echo')
    expect([plain.calls.length, other.calls]).toEqual([2, ['echo']])
  })

  test('of a server that is down tells nothing to who has no grant for it', async () => {
    await using plain = await startSwitched(['echo'])
    await using other = await startSwitched(['secret'], 'broken')
    await using gateway = await startGateway({ config: configOf({ plain, other }) })
    const [down, unknown] = [await call(gateway, 'other__secret', bob), await call(gateway, 'nobody__secret', bob)]
    expect(errorOf(down)).toMatchObject({ code: 'grant.tool' })
    expect(
      JSON.stringify(down.message)
        .replaceAll('other', 'nobody')
        .replace(/"id":\d+/, ''),
    ).toBe(JSON.stringify(unknown.message).replace(/"id":\d+/, ''))
  })
})

describe('while a server is starting', () => {
  test('the list waits for its budget, is marked as incomplete, and a change is announced when it is whole', async () => {
    await using plain = await startSwitched(['echo'])
    await using slow = await startSwitched(['late'], 'silent')
    await using gateway = await startGateway({ config: configOf({ plain, slow }) })
    const client = await connectClient(gateway.url, ada)
    const before = await list(gateway)
    expect([(before['tools'] as Json[]).map(({ name }) => name), before['ttlMs']]).toEqual([['plain__echo'], 0])
    expect(before['_meta']).toMatchObject({ 'turnward/missing': { slow: 'unavailable' } })
    const ofBob = await list(gateway, bob)
    expect([(ofBob['tools'] as Json[]).length, ofBob['_meta']]).toEqual([
      1,
      expect.not.objectContaining({ 'turnward/missing': expect.anything() }),
    ])
    let changes = 0
    client.setNotificationHandler('notifications/tools/list_changed', () => void (changes += 1))
    await client.listen({ toolsListChanged: true })

    slow.become('up')
    await expect.poll(() => changes).toBeGreaterThan(0)
    await serversReady(gateway.url)
    const whole = await list(gateway)
    expect([(whole['tools'] as Json[]).map(({ name }) => name), Number(whole['ttlMs']) > 0]).toEqual([['plain__echo', 'slow__late'], true])
    expect(whole['_meta']).not.toHaveProperty('turnward/missing')
    expect(await toolNames(client)).toContain('slow__late')
    await client.close()
  })

  test('a call of its tools waits and is then answered with what is not there, and not as an unknown tool', async () => {
    await using slow = await startSwitched(['late'], 'silent')
    await using gateway = await startGateway({ config: configOf({ slow }) })
    expect(errorOf(await call(gateway, 'slow__late'))).toMatchObject({
      code: 'mcp.server_unavailable',
      subject: 'slow',
      why: 'it is starting',
    })
    expect(await gateway.recordThat((one) => one.subject === 'slow__late')).toMatchObject({ errorCode: 'mcp.server_unavailable' })
  })

  test('a call that comes before the server has started runs as soon as it has', async () => {
    await using slow = await startSwitched(['late'], 'silent')
    await using gateway = await startGateway({ config: configOf({ slow }) })
    const early = call(gateway, 'slow__late')
    slow.become('up')
    expect((await early).message['error']).toBeUndefined()
    expect(slow.calls).toEqual(['late'])
  })

  test('/readyz says which server is not there and why, and the gateway is ready', async () => {
    await using plain = await startSwitched(['echo'])
    await using slow = await startSwitched(['late'], 'silent')
    await using gateway = await startGateway({ config: configOf({ plain, slow }) })
    await until('the other server', async () =>
      JSON.stringify((await readiness(gateway)).body['missing']).includes('plain') ? undefined : true,
    )
    expect(await readiness(gateway)).toMatchObject({ status: 200, body: { status: 'ready', missing: { slow: 'it is starting' } } })
    slow.become('up')
    await serversReady(gateway.url)
    expect((await readiness(gateway)).body['missing']).toBeUndefined()
  })
})

test('a bare name means the tool that was known, also after a restart in which its server is down', async () => {
  const data = await mkdtemp(join(tmpdir(), 'turnward-known-'))
  await using plain = await startSwitched(['other_tool'])
  await using other = await startSwitched(['echo'])
  const config = configOf({ plain, other }, { data_dir: data })
  {
    await using first = await startGateway({ config })
    await serversReady(first.url)
    expect((await call(first, 'echo', ada, 'bare')).message['error']).toBeUndefined()
  }
  other.become('broken')
  await using second = await startGateway({ config })
  expect(errorOf(await call(second, 'echo', ada, 'bare'))).toMatchObject({ code: 'mcp.server_unavailable', subject: 'other' })
  expect(errorOf(await call(second, 'echo', bob, 'bare'))).toMatchObject({ code: 'grant.tool' })
  expect(errorOf(await call(second, 'never_listed', ada, 'bare'))).toMatchObject({ code: 'grant.tool' })
  await rm(data, { recursive: true, force: true })
})
