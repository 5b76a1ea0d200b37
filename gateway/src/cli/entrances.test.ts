import { createServer, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { Snapshot } from '../config/snapshot.ts'
import { noPeers } from '../cluster/peers.ts'
import { silentLogger } from '../core/logger.ts'
import { createSignInRoom, type SignInRoomParts } from '../identity/sign-in-room.ts'
import { configOf, keys, openFloors } from '../invariants/floors.fixture.ts'
import { allowedMethods, EntranceTable } from './entrance-table.ts'
import { createDispatch, entrancesOf } from './entrances.ts'
import { RealtimeDoor } from './realtime-door.ts'
import { joinCluster } from './joining-cluster.ts'

/** The same configuration at one of several replicas. */
function inCluster(snapshot: Snapshot): Snapshot {
  const cluster = { replica: 'a', secret: 'the secret that all replicas have', previous_secrets: [] }
  return { ...snapshot, settings: { ...snapshot.settings, state: { ...snapshot.settings.state, kind: 'valkey' }, cluster } }
}

async function open() {
  const floors = await openFloors({
    config: configOf({ upstreams: { u: { kind: 'scripted', steps: [{ text: 'hi' }] } }, routes: [{ model: 'm', upstreams: ['u'] }] }),
  })
  const mcp = async (_request: unknown, response: ServerResponse, gateway: string): Promise<void> => {
    response.writeHead(200, { 'x-gateway': gateway }).end('{}')
  }
  let isDraining = false
  let port = 0
  const { services, clock } = floors
  const cluster = await joinCluster({
    snapshot: () => inCluster(services.snapshot()),
    state: services.state,
    clock,
    logger: silentLogger,
    chain: 'chain',
    worker: 0,
    running: () => 0,
    local: noPeers,
  })
  const pages = createSignInRoom({
    snapshot: services.snapshot,
    publicUrl: () => `http://127.0.0.1:${port}`,
    state: services.state,
    // Nobody signs in there.
    store: { secret: services.secret } as SignInRoomParts['store'],
    clock,
    logger: silentLogger,
    people: services.people,
    vault: services.vault,
  })
  const health = {
    config: () => undefined,
    store: () => undefined,
    state: () => undefined,
    lastLoss: () => undefined,
    issuers: () => [],
    certificateExpires: () => undefined,
  }
  const entrances = entrancesOf({
    services,
    mcp,
    health,
    cluster,
    isDraining: () => isDraining,
    realtime: new RealtimeDoor(),
    rooms: pages.entrances,
    sessions: pages.signIn,
    config: { attempt: async () => services.snapshot(), reload: async () => true, problem: undefined },
  })
  const server = createServer(
    { requireHostHeader: false },
    createDispatch(entrances, () => isDraining),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ;({ port } = server.address() as AddressInfo)
  return {
    entrances,
    port,
    drain: () => (isDraining = true),
    ask: (method: string, path: string, headers: Record<string, string> = {}) =>
      fetch(`http://127.0.0.1:${port}${path}`, { method, headers, redirect: 'manual' }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await cluster?.close()
      await floors[Symbol.asyncDispose]()
    },
  }
}

/** An address that the entrance answers. */
const example = (path: string): string =>
  path
    .replace(/\{(?:name|model)\.\.\.\}/, 'm')
    .replace('{gateway}', 'main')
    .replace('/model/{target...}', '/model/m/converse')
    .replace('{target...}', 'm:generateContent')

/** The answer to a request as it stands on the wire. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    socket.on('data', (bytes) => (answer += bytes.toString('latin1'))).on('close', () => resolve(answer))
  })
}

describe('the table of entrances', () => {
  test('answers each method as it says, and no other', async () => {
    await using gateway = await open()
    for (const entrance of gateway.entrances.filter(({ methods }) => methods !== 'own')) {
      const allowed = allowedMethods(entrance) ?? []
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const { status, headers } = await gateway.ask(method, example(entrance.path), { authorization: `Bearer ${keys.alice}` })
        const told = `${method} ${entrance.path}`
        if (allowed.includes(method)) expect([told, status === 405]).toEqual([told, false])
        else expect([told, status, headers.get('allow')]).toEqual([told, 405, allowed.join(', ')])
      }
    }
  })

  test('lets nobody in without a key but where anybody may', async () => {
    await using gateway = await open()
    for (const { path, methods, needs } of gateway.entrances.filter((entrance) => entrance.methods !== 'own')) {
      const method = methods[0] ?? ''
      const { status } = await gateway.ask(method, example(path))
      // A browser is sent to sign in, or told that it has sent no form of ours, or that there is nothing.
      if (needs === 'browser') expect([path, [303, 400, 404].includes(status)]).toEqual([path, true])
      // Its pages lead on, are for browsers, or have not been built.
      else if (path.startsWith('/console')) expect([path, [200, 308, 404, 503].includes(status)]).toEqual([path, true])
      else expect([path, status]).toEqual([path, needs === 'anyone' ? 200 : 401])
    }
  })

  test('answers HEAD wherever it answers GET, with the same status and no body', async () => {
    await using gateway = await open()
    for (const { path } of gateway.entrances.filter(({ methods }) => methods.includes('GET'))) {
      const headers = { authorization: `Bearer ${keys.alice}` }
      const [get, head] = [await gateway.ask('GET', example(path), headers), await gateway.ask('HEAD', example(path), headers)]
      expect([path, head.status, head.headers.get('content-type')]).toEqual([path, get.status, get.headers.get('content-type')])
      expect(await head.text()).toBe('')
    }
  })

  test('keeps only probes open while the gateway drains', async () => {
    await using gateway = await open()
    gateway.drain()
    for (const { path, isProbe } of gateway.entrances) {
      const { headers } = await gateway.ask('GET', example(path))
      expect([path, headers.get('retry-after')]).toEqual([path, isProbe === true ? null : '1'])
    }
  })

  test('finds a path with one open segment, or with everything after it', () => {
    const entrance = (path: string) => ({ path, methods: ['GET'], needs: 'anyone', handle: () => {} }) as const
    const table = new EntranceTable([entrance('/a/{one}'), entrance('/b/{rest...}/end'), entrance('/b/{rest...}'), entrance('/a')])
    expect(table.find('/a/x')).toMatchObject({ parameter: 'x' })
    expect(table.find('/b/x/y')).toMatchObject({ parameter: 'x/y' })
    expect(table.find('/b/x/y/end')).toMatchObject({ parameter: 'x/y', entrance: { path: '/b/{rest...}/end' } })
    expect(table.find('/b/end')).toMatchObject({ parameter: 'end' })
    expect(table.find('/a')).toMatchObject({ parameter: '' })
    for (const path of ['/a/', '/a/x/y', `/a/${'x'.repeat(65)}`, '/b/', '/c', '/A']) expect(table.find(path)).toBeUndefined()
  })
})

describe('a request target in absolute form', () => {
  test('names path and host', async () => {
    await using gateway = await open()
    const answer = await raw(gateway.port, 'GET http://other.example/healthz?x=1 HTTP/1.1\r\nhost: ignored\r\nconnection: close\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1.1 200 /)
  })

  test.each(['GET http://user@other.example/healthz', 'GET ftp://other.example/healthz', 'GET *'])(
    'is no way around anything: %s',
    async (line) => {
      await using gateway = await open()
      expect(await raw(gateway.port, `${line} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 404 /)
    },
  )
})
