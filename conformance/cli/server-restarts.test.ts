/** An administrator and the servers of a running gateway: what they wrote, and starting them anew. */
import { readFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CliResult } from '../harness/cli.ts'
import { repositoryRoot, startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { until } from '../harness/until.ts'
import { ada } from '../mcp/mixed-fleet.ts'
import { modernRequest } from '../mcp/raw-rpc.ts'
import { fixtureServer } from '../mcp/upstream-servers.ts'

const serve = `import { serveTools } from './stdio-server.mjs'
console.error('born ' + crypto.randomUUID())
console.error('its key is ' + process.env.KEY + ' \\u001b[31mred, the other one ghp_0123456789abcdefghij')
serveTools({ die: { run: () => process.exit(3) }, wait: { run: () => new Promise(() => {}) }, work: { run: () => 'done' } })
`
const config = {
  workers: 2,
  principals: { ada: {} },
  keys: { ada: { principal: 'ada', secret: ada } },
  grants: [{ principals: ['ada'], gateways: ['*'], tools: ['*'] }],
  servers: {
    mortal: { transport: 'stdio', command: ['node', './server/serve.mjs'], env: { KEY: 'hunter2hunter2' } },
    web: { transport: 'http', url: 'http://127.0.0.1:9/mcp' },
  },
  gateways: { main: { servers: ['mortal'] } },
  contracts: { '*': { output: { trust: 'trusted' } } },
}

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await startGateway({
    config,
    files: { 'server/serve.mjs': serve, 'server/stdio-server.mjs': readFileSync(fixtureServer('stdio-server.mjs'), 'utf8') },
  })
  await until('both children', async () => ((await born()).length >= 2 ? true : undefined))
})
afterAll(() => gateway?.stop())

const json = ({ stdout }: CliResult) => JSON.parse(stdout) as Json
interface Line {
  readonly line?: string
  readonly event?: string
  readonly pid?: number
}
const lines = async () => json(await gateway.cli(['servers', 'logs', 'mortal', '--json', '--lines', '999'])) as unknown as { lines: Line[] }
const born = async () => (await lines()).lines.filter(({ line }) => line?.startsWith('born ') === true)
const call = (tool: string) =>
  modernRequest({ url: `${gateway.url}/mcp/main`, key: ada }, 'tools/call', { name: `mortal__${tool}`, arguments: {} })

test('what a server wrote is kept from before its last end, with why it ended, and nothing that it was given', async () => {
  const before = await born()
  await call('die').catch(() => {})
  await until('another child', async () => ((await born()).length > before.length ? true : undefined))
  const kept = (await lines()).lines
  expect(kept.map(({ line }) => line)).toEqual(expect.arrayContaining(before.map(({ line }) => line)))
  expect(kept.find(({ event }) => event?.includes('exit 3') === true)?.event).toBe('ended: it ended (exit 3)')
  const text = (await gateway.cli(['servers', 'logs', 'mortal'])).stdout
  expect(text).toContain('its key is [hidden]')
  for (const secret of ['hunter2', 'ghp_']) expect(JSON.stringify(kept) + text).not.toContain(secret)
  expect(text).not.toContain('\u001b')
  const last = (await gateway.cli(['servers', 'logs', 'mortal', '--lines', '1'])).stdout
  expect(last.trimEnd().split('\n')).toHaveLength(1)
  expect((await gateway.cli(['servers', 'logs', 'web'])).stderr).toContain('it is not started here')
})

test('a restart ends every child with the calls in it, starts others, and says by which process', async () => {
  const before = await born()
  const hanging = call('wait')
  const followed = spawn(
    process.execPath,
    [join(repositoryRoot, 'gateway/bin/turnward.mjs'), 'servers', 'logs', 'mortal', '--follow', '--lines', '0'],
    {
      env: { PATH: process.env['PATH'] ?? '', TURNWARD_CONFIG: gateway.configPath },
    },
  )
  let heard = ''
  followed.stdout.setEncoding('utf8').on('data', (text: string) => (heard += text))
  const restarted = await gateway.cli(['servers', 'restart', 'mortal', '--by', 'carol', '--json'])
  expect([restarted.code, restarted.stderr]).toEqual([0, ''])
  expect(json(restarted)).toMatchObject({ ok: true, by: 'carol', processes: [{ outcome: 'ready' }, { outcome: 'ready' }] })
  expect((await born()).length).toBeGreaterThanOrEqual(before.length + 2)
  const { message } = await hanging
  expect(JSON.stringify(message)).toContain('mcp.server_unavailable')
  expect(JSON.stringify((await call('work')).message)).toContain('done')
  await until('what is followed', () => (heard.includes('born ') ? true : undefined))
  followed.kill()
  expect(gateway.logs()).toContain('an administrator restarts an MCP server')
})

test('a server that does not start says why, and it is exit code 5', async () => {
  const restarted = await gateway.cli(['servers', 'restart', 'web'])
  expect([restarted.code, restarted.stdout]).toEqual([5, expect.stringContaining('the connection was refused')])
  expect((await gateway.cli(['servers', 'restart', 'motral'])).stderr).toContain('did you mean `mortal`')
})

test('where no gateway runs nothing is asked for', async () => {
  const stopped = await startGateway({
    config: { servers: config.servers, gateways: config.gateways },
    files: { 'server/serve.mjs': serve },
  })
  try {
    stopped.signal('SIGTERM')
    await stopped.exited
    const asked = await stopped.cli(['servers', 'restart', 'mortal'])
    expect([asked.code, asked.stderr]).toEqual([4, expect.stringContaining('no gateway that runs on this configuration has answered')])
  } finally {
    await stopped.stop()
  }
})
