/** From start to end of the processes behind the gateway: crash loops are told, and nothing outlives the gateway or its place in the configuration. */
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { until } from '../harness/until.ts'
import { hostileConfig, key } from './hostile-server.ts'
import { connectClient } from './official-client.ts'
import { fixtureServer, serversReady } from './upstream-servers.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnward-lifetimes-'))
  for (const name of ['readable', 'writable']) await mkdir(join(folder, name))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Live processes with this text in their environment, as root of the host sees them. */
function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(text)
      } catch {
        return false
      }
    })
    .map(Number)
}

describe('a server that cannot run', () => {
  test('a crash loop is visible in /readyz, its neighbours are served, and it is not restarted in a frenzy', async () => {
    await using crashing = await startGateway({
      config: hostileConfig({ folder, more: { crashing: { transport: 'stdio', command: ['node', fixtureServer('crashing.mjs')] } } }),
    })
    const seen = await until('the crash loop in /readyz', async () => {
      const response = await fetch(`${crashing.url}/readyz`)
      const { servers } = (await response.json()) as { servers: Json[] }
      const found = servers.find(({ server }) => server === 'crashing')
      return /failed \d+ times, next try in/.test(String(found?.['detail'])) ? { status: response.status, found } : undefined
    })
    expect(seen).toMatchObject({ status: 200, found: { state: 'failed', tools: 0 } })
    expect(crashing.logs()).toContain('cannot open the database')
    const other = await connectClient(crashing.url, key)
    expect((await other.callTool({ name: 'hostile__exists', arguments: { path: '/' } })).isError).toBeFalsy()
    expect((await other.listTools()).tools.map(({ name }) => name).filter((name) => name.startsWith('crashing'))).toEqual([])
    await other.close()
  })

  test('a command that is not there is said to be missing', async () => {
    await using missing = await startGateway({
      config: hostileConfig({ folder, more: { missing: { transport: 'stdio', command: ['/nowhere/server'] } } }),
    })
    const found = await until('the failure in /readyz', async () => {
      const { servers } = (await (await fetch(`${missing.url}/readyz`)).json()) as { servers: Json[] }
      return servers.find(({ server, state }) => server === 'missing' && state === 'failed')
    })
    expect(String(found['detail'])).toContain('not found')
  })
})

describe.each([
  ['SIGTERM', 0],
  ['SIGINT', 0],
  ['SIGKILL', null],
] as const)('after %s', (signal, code) => {
  test('no process of any server is left, orphans included', async () => {
    const mark = `mark-${randomUUID()}`
    const doomed = await startGateway({ config: hostileConfig({ folder, mark }) })
    await serversReady(doomed.url)
    const busy = await connectClient(doomed.url, key, { mode: { pin: '2026-07-28' } })
    await busy.callTool({ name: 'hostile__spawn_orphans', arguments: { count: 5 } })
    expect(processesWith(mark).length).toBeGreaterThan(7)
    expect(await doomed.stop(signal)).toBe(code)
    await until('the end of every process', () => (processesWith(mark).length === 0 ? true : undefined))
    await busy.close().catch(() => undefined)
  })
})

test('a server that leaves the configuration is ended, with everything it started', async () => {
  const mark = `mark-${randomUUID()}`
  const extra = { guest: { transport: 'stdio', command: ['node', fixtureServer('hostile.mjs')], env: { GUEST: mark } } }
  await using changing = await startGateway({ config: hostileConfig({ folder, more: extra }) })
  await serversReady(changing.url)
  const visitor = await connectClient(changing.url, key)
  await visitor.callTool({ name: 'guest__spawn_orphans', arguments: { count: 3 } })
  expect(processesWith(mark).length).toBeGreaterThan(3)
  await changing.reload({ ...hostileConfig({ folder }), listen: { port: 0 } })
  await until('the end of every process', () => (processesWith(mark).length === 0 ? true : undefined))
  await visitor.close()
})
