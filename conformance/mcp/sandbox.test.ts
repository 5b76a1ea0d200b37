/** A stdio server that has been taken over in the sandbox every stdio server gets: what it cannot see, reach or use up. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { until } from '../harness/until.ts'
import { hostileConfig, key } from './hostile-server.ts'
import { connectClient, textOf } from './official-client.ts'
import { fixtureServer, serversReady } from './upstream-servers.ts'

const gatewaySecret = `gateway-secret-${randomUUID()}`

let folder: string
let gateway: RunningGateway
let client: Client
let hostPort: number
let listener: Server
let connections = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnward-sandbox-'))
  for (const name of ['readable', 'writable', 'secret']) await mkdir(join(folder, name))
  await writeFile(join(folder, 'readable/note.txt'), 'for the server')
  await writeFile(join(folder, 'secret/token.txt'), 'host only')
  listener = createServer((socket) => {
    connections += 1
    socket.destroy()
  })
  await new Promise<void>((resolve) => listener.listen(0, '0.0.0.0', resolve))
  hostPort = (listener.address() as AddressInfo).port
  gateway = await startGateway({
    config: hostileConfig({ folder, network: [`localhost:${hostPort}`, `127.0.0.1:${hostPort}`] }),
    env: { GATEWAY_SECRET: gatewaySecret },
  })
  await serversReady(gateway.url)
  client = await connectClient(gateway.url, key)
})

afterAll(async () => {
  await client?.close()
  await gateway?.stop()
  listener?.close()
  await rm(folder, { recursive: true, force: true })
})

/** What an attempt of the hostile server came to: a value, or the error it got. */
async function attempt(tool: string, args: Json = {}, server = 'hostile'): Promise<Json> {
  const result = await client.callTool({ name: `${server}__${tool}`, arguments: args })
  return JSON.parse(textOf(result)) as Json
}

/** First line of the answer of the egress proxy to a tunnel the server asked for. */
async function throughProxy(host: string): Promise<string> {
  const environment = (await attempt('environment', {}, 'listed'))['value'] as Json
  const proxy = new URL(String(environment['HTTPS_PROXY'] ?? environment['https_proxy']))
  return String((await attempt('connect_through', { host: proxy.hostname, port: Number(proxy.port), target: host }, 'listed'))['value'])
}

describe('files', () => {
  test('a mounted folder is there, and only what is mounted writable is written', async () => {
    expect(await attempt('read', { path: join(folder, 'readable/note.txt') })).toEqual({ value: 'for the server' })
    expect(await attempt('write', { path: join(folder, 'readable/note.txt'), text: 'changed' })).toEqual({ error: 'EROFS' })
    expect(await attempt('write', { path: join(folder, 'writable/new.txt'), text: 'by the server' })).not.toHaveProperty('error')
    expect(await readFile(join(folder, 'writable/new.txt'), 'utf8')).toBe('by the server')
    expect(await readFile(join(folder, 'readable/note.txt'), 'utf8')).toBe('for the server')
  })

  test.each([
    ['a file next to a mount', () => join(folder, 'secret/token.txt')],
    ['the same through `..`', () => join(folder, 'readable') + '/../secret/token.txt'],
    ['the configuration with its keys', () => gateway.configPath],
    ['the decision log', () => join(gateway.dataDir, 'decisions.db')],
    ['the key that signs checkpoints', () => join(gateway.dataDir, 'checkpoint.key')],
    ['password hashes of the host', () => '/etc/shadow'],
    ['the keys of root', () => '/root/.ssh/id_ed25519'],
    ['the environment of the gateway', () => `/proc/${gateway.pid}/environ`],
    ['memory of the machine', () => '/proc/kcore'],
  ])('%s cannot be read', async (_what, path) => {
    const answer = await attempt('read', { path: path() })
    expect(answer).not.toHaveProperty('value')
    expect(['ENOENT', 'EACCES', 'EPERM', 'ENOTDIR']).toContain(answer['error'])
  })

  test('the host is not there: no other folder of /tmp, nothing of the data folder, no home', async () => {
    const seen = await attempt('list', { path: folder })
    expect((seen['value'] as string[]).sort()).toEqual(['readable', 'writable'])
    const tmp = (await attempt('list', { path: tmpdir() }))['value'] as string[]
    expect(tmp.filter((name) => (name.startsWith('turnward-') ? !folder.endsWith(name) : false))).toEqual([])
    expect(await attempt('exists', { path: gateway.dataDir })).toEqual({ value: false })
    expect(await attempt('list', { path: '/root' })).not.toHaveProperty('value')
  })

  test.each(['/usr/bin/planted', '/etc/passwd', '/opt/planted', '/planted', '/proc/sys/kernel/core_pattern', '/dev/planted'])(
    '%s cannot be written',
    async (path) => {
      expect(['EROFS', 'EACCES', 'EPERM', 'ENOENT']).toContain((await attempt('write', { path, text: 'planted' }))['error'])
    },
  )

  test('neither the program of the server nor the gateway can be changed from inside', async () => {
    const answer = await attempt('write', { path: fixtureServer('hostile.mjs'), text: 'planted' })
    expect(['EROFS', 'EACCES', 'EPERM', 'ENOENT']).toContain(answer['error'])
  })

  test('one file cannot grow beyond its limit', async () => {
    expect(await attempt('fill', { path: join(folder, 'writable/big'), megabytes: 4 })).not.toHaveProperty('error')
    expect(await attempt('fill', { path: join(folder, 'writable/big'), megabytes: 64 }).catch(() => ({ error: 'ended' }))).toHaveProperty(
      'error',
    )
    await serversReady(gateway.url)
  })
})

describe('secrets and identity', () => {
  test('the environment is what the configuration gives, and none of the gateway', async () => {
    const { value } = await attempt('environment')
    expect(value).toMatchObject({ VISIBLE: 'yes' })
    expect(JSON.stringify(value)).not.toContain(gatewaySecret)
    expect(Object.keys(value as Json)).not.toContain('TURNWARD_CONFIG')
  })

  test('no process of the host is in sight', async () => {
    const others = String((await attempt('other_environments'))['value'])
    expect(others).toContain('VISIBLE=yes')
    expect(others).not.toContain(gatewaySecret)
    const { value } = await attempt('identity')
    expect((value as Json)['pids']).toBeLessThan(10)
  })

  test('it is nobody: not root, no capabilities, no new privileges', async () => {
    const { value } = await attempt('identity')
    const { uid, status } = value as { uid: number; status: string }
    expect(uid).not.toBe(0)
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) expect(status, set).toMatch(new RegExp(`^${set}:\\s+0+$`, 'm'))
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m)
  })
})

describe('network', () => {
  test('there is none: not the host, not the gateway, not the cloud metadata service, no names', async () => {
    const before = connections
    const gatewayPort = Number(new URL(gateway.url).port)
    for (const [host, port] of [
      ['127.0.0.1', hostPort],
      ['127.0.0.1', gatewayPort],
      ['169.254.169.254', 80],
      ['1.1.1.1', 443],
    ] as const) {
      expect(await attempt('dial', { host, port }), `${host}:${port}`).toHaveProperty('error')
    }
    expect(await attempt('resolve', { host: 'example.com' })).toHaveProperty('error')
    expect(connections).toBe(before)
  })

  test('a list of hosts opens a way through the proxy only, and no name leads into a private range', async () => {
    const before = connections
    for (const [host, port] of [
      ['127.0.0.1', hostPort],
      ['169.254.169.254', 80],
      ['localhost', hostPort],
    ] as const) {
      expect(await attempt('dial', { host, port }, 'listed'), `${host}:${port}`).toHaveProperty('error')
    }
    const refused = [
      `localhost:${hostPort}`,
      `127.0.0.1:${Number(new URL(gateway.url).port)}`,
      `[::ffff:127.0.0.1]:${hostPort}`,
      `127.1:${hostPort}`,
      `2130706433:${hostPort}`,
      '169.254.169.254:80',
      'example.org:443',
    ]
    for (const host of refused) expect(await throughProxy(host), host).toMatch(/^HTTP\/1\.1 403/)
    expect(connections).toBe(before)
  })

  test('an address an administrator wrote down is reached, through the proxy', async () => {
    const before = connections
    expect(await throughProxy(`127.0.0.1:${hostPort}`)).toMatch(/^HTTP\/1\.1 200/)
    await until('the connection', () => (connections === before + 1 ? true : undefined))
  })
})

describe('using up the machine', () => {
  test('processes are limited, and the gateway does not notice', async () => {
    const { value } = await attempt('spawn_orphans', { count: 80 })
    const started = (value as string[]).filter((answer) => answer === 'started').length
    expect(started).toBeLessThan(80)
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200)
  })

  test('memory is limited: the server dies, the gateway and its neighbours do not', async () => {
    const result = await client.callTool({ name: 'hungry__hog', arguments: { megabytes: 1024 } }).catch((error: unknown) => error)
    expect(JSON.stringify(result)).not.toContain('1024 MB')
    expect(await attempt('read', { path: join(folder, 'readable/note.txt') })).toEqual({ value: 'for the server' })
    await serversReady(gateway.url)
    expect(await attempt('exists', { path: '/' }, 'hungry')).toEqual({ value: true })
  })

  test('a server that exits in the middle of a call fails that call, and is there again for the next', async () => {
    await expect(client.callTool({ name: 'hungry__exit', arguments: {} })).rejects.toThrow()
    await serversReady(gateway.url)
    expect(await attempt('exists', { path: '/' }, 'hungry')).toEqual({ value: true })
    const record = await gateway.recordThat((one) => one.type === 'outcome' && one.subject === 'hungry__exit')
    expect(record).toMatchObject({ outcome: 'error', errorCode: 'mcp.server_unavailable' })
  })
})
