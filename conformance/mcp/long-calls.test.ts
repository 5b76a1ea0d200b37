/** Calls that take long: cancelled, out of time, too many at once. The server learns of it, the log says so, and what may have happened counts. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { until } from '../harness/until.ts'
import { connectClient, modes, textOf } from './official-client.ts'
import { modernRequest } from './raw-rpc.ts'
import { fixtureServer, serversReady } from './upstream-servers.ts'

const key = 'tw_conformance_ada_000000000001'
let folder: string
let gateway: RunningGateway

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnward-waiting-'))
  const waiting = { transport: 'stdio', command: ['node', fixtureServer('waiting.mjs'), folder], mounts: [{ path: folder, write: true }] }
  gateway = await startGateway({
    config: {
      principals: { ada: {} },
      keys: { ada: { principal: 'ada', secret: key } },
      grants: [{ principals: ['ada'], gateways: ['main'], tools: ['*'] }],
      servers: { patient: waiting, hasty: { ...waiting, timeout_ms: 2000 }, narrow: { ...waiting, max_concurrent: 1 } },
      gateways: { main: { servers: ['patient', 'hasty', 'narrow'] } },
      contracts: {
        '*__wait': { output: { trust: 'trusted' } },
        '*__probe': { output: { trust: 'trusted' } },
        '*__migrate': { effects: ['migration'], requires: { not_done: ['migration'] }, output: { trust: 'trusted' } },
      },
    },
  })
  await serversReady(gateway.url)
})
afterAll(async () => {
  await gateway?.stop()
  await rm(folder, { recursive: true, force: true })
})

async function happened(event: string): Promise<void> {
  await until(event, async () =>
    (await readFile(join(folder, 'events.txt'), 'utf8').catch(() => '')).split('\n').includes(event) ? true : undefined,
  )
}

function wait(server: string, name: string, tool = 'wait', session = 'long-calls') {
  const target = { url: `${gateway.url}/mcp/main`, key, headers: { 'x-turnward-session': session } }
  return modernRequest(target, 'tools/call', { name: `${server}__${tool}`, arguments: { name } })
}

describe.each(modes)('cancelled by a %s client', (_name, mode) => {
  test('a call on a stdio server ends there, and is on record as cancelled', async () => {
    const client = await connectClient(gateway.url, key, { mode })
    const name = randomUUID()
    const stop = new AbortController()
    const ended = expect(client.callTool({ name: 'patient__wait', arguments: { name } }, { signal: stop.signal })).rejects.toThrow()
    await happened(`started ${name}`)
    stop.abort()
    await ended
    await happened(`cancelled ${name}`)
    await gateway.recordThat(
      (one) => one.type === 'outcome' && one.subject === 'patient__wait' && one.outcome === 'cancelled' && one.turn !== null,
    )
    expect(textOf(await client.callTool({ name: 'patient__probe', arguments: {} }))).toBe('here')
    await client.close()
  })
})

test('a client that goes away cancels its modern call', async () => {
  const name = randomUUID()
  const stop = new AbortController()
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'x', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const request = fetch(`${gateway.url}/mcp/main`, {
    method: 'POST',
    signal: stop.signal,
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'patient__wait',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'patient__wait', arguments: { name }, _meta: meta },
    }),
  }).catch((error: unknown) => error)
  await happened(`started ${name}`)
  stop.abort()
  await request
  await happened(`cancelled ${name}`)
})

test('a call has a deadline, progress or not; the server is told and the log says timeout', async () => {
  const client = await connectClient(gateway.url, key)
  const name = randomUUID()
  let progress = 0
  const call = client.callTool(
    { name: 'hasty__wait', arguments: { name } },
    { onprogress: () => void (progress += 1), resetTimeoutOnProgress: true },
  )
  await expect(call).rejects.toMatchObject({ data: { code: 'mcp.server_timeout' } })
  expect(progress).toBeGreaterThan(0)
  await happened(`cancelled ${name}`)
  const record = await gateway.recordThat((one) => one.type === 'outcome' && one.subject === 'hasty__wait')
  expect(record).toMatchObject({ outcome: 'timeout', errorCode: 'mcp.server_timeout' })
  await client.close()
})

test('what may have happened counts: a migration that ran out of time blocks the next one', async () => {
  const session = `migrating-${randomUUID()}`
  const first = await wait('hasty', randomUUID(), 'migrate', session)
  expect(first.message['error']).toMatchObject({ data: { code: 'mcp.server_timeout' } })
  const second = await wait('hasty', randomUUID(), 'migrate', session)
  expect(second.message['result']).toMatchObject({ isError: true, _meta: { 'dev.turnward/refusal': { gaps: [{ kind: 'not_done' }] } } })
})

test('a migration under way blocks another that starts meanwhile', async () => {
  const session = `migrating-${randomUUID()}`
  const name = randomUUID()
  const first = wait('patient', name, 'migrate', session)
  await happened(`started ${name}`)
  const second = await wait('patient', randomUUID(), 'migrate', session)
  expect(second.message['result']).toMatchObject({ isError: true, _meta: { 'dev.turnward/refusal': { gaps: [{ kind: 'not_done' }] } } })
  await writeFile(join(folder, `${name}.go`), '')
  expect((await first).message['result']).toMatchObject({ content: [{ text: `waited for ${name}` }] })
})

test('as many calls wait as run; the others are told that the server is busy', async () => {
  const running = randomUUID()
  const first = wait('narrow', running)
  await happened(`started ${running}`)
  const names = [randomUUID(), randomUUID(), randomUUID()]
  for (const name of names) await writeFile(join(folder, `${name}.go`), '')
  const busy: Json[] = []
  const others = names.map(async (name) => {
    const { message } = await wait('narrow', name)
    if (message['error'] !== undefined) busy.push(message)
    return message
  })
  // One of the three has the only place in the queue; nobody gets further before the first call has ended.
  await until('two refusals', () => (busy.length === 2 ? true : undefined))
  for (const message of busy) expect(message['error']).toMatchObject({ data: { code: 'mcp.server_busy' } })
  await writeFile(join(folder, `${running}.go`), '')
  expect((await first).message['result']).toMatchObject({ content: [{ text: `waited for ${running}` }] })
  expect((await Promise.all(others)).filter((message) => message['result'] !== undefined)).toHaveLength(1)
})

test('SIGTERM lets a running call finish, and ends the process with it', async () => {
  const name = randomUUID()
  const waiting = { transport: 'stdio', command: ['node', fixtureServer('waiting.mjs'), folder], mounts: [{ path: folder, write: true }] }
  const draining = await startGateway({
    config: {
      // Not the end of this is what ends the process, but the end of the call: on a connection that its client keeps.
      limits: { drain_ms: 3_600_000 },
      principals: { ada: {} },
      keys: { ada: { principal: 'ada', secret: key } },
      grants: [{ principals: ['ada'], gateways: ['main'], tools: ['*'] }],
      servers: { patient: waiting },
      gateways: { main: { servers: ['patient'] } },
      contracts: { '*': { output: { trust: 'trusted' } } },
    },
  })
  await serversReady(draining.url)
  const call = modernRequest({ url: `${draining.url}/mcp/main`, key }, 'tools/call', { name: 'patient__wait', arguments: { name } })
  await happened(`started ${name}`)
  draining.signal('SIGTERM')
  await until('the gateway to take no more', async () => {
    const answer = await modernRequest({ url: `${draining.url}/mcp/main`, key }, 'tools/list').catch(() => undefined)
    return answer === undefined || answer.status === 503 ? true : undefined
  })
  await writeFile(join(folder, `${name}.go`), '')
  expect((await call).message['result']).toMatchObject({ content: [{ text: `waited for ${name}` }] })
  expect(await draining.exited).toBe(0)
  await draining.stop()
})
