/** Each server of the table as a person gets it: added to a running gateway, started in the sandbox, listed, called and read. */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCli } from '../harness/cli.ts'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { until } from '../harness/until.ts'
import { connectClient } from '../mcp/official-client.ts'
import { registrySettings } from './machine.ts'
import { registryServers, type ServerFolder } from './servers.ts'
import { tellSummary, type Told } from './summary.ts'

const key = 'tw_conformance_ada_000000000001'
let gateway: RunningGateway
let folder: ServerFolder
const told: Told[] = []

beforeAll(async () => {
  const path = await mkdtemp(join(tmpdir(), 'turnward-registries-'))
  folder = { path, file: (name) => join(path, name) }
  await writeFile(folder.file('notes.txt'), 'written on the host\n')
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', path, '-c', 'user.name=Ada', '-c', 'user.email=ada@acme.example', ...args], { stdio: 'ignore' })
  git('init')
  git('add', 'notes.txt')
  git('commit', '-m', 'the first commit')
  gateway = await startGateway({
    env: registrySettings,
    config: {
      principals: { ada: {} },
      keys: { ada: { principal: 'ada', secret: key } },
      grants: [{ principals: ['ada'], gateways: ['*'], tools: ['*'] }],
      contracts: { '*': { output: { trust: 'trusted' } } },
    },
  })
})
afterAll(async () => {
  await gateway?.stop()
  if (folder !== undefined) await rm(folder.path, { recursive: true, force: true })
  tellSummary(told)
})

/** Waits until the server is ready; rejects with what the gateway says of it. */
async function ready(server: string): Promise<void> {
  await until(`the server ${server}`, async () => {
    const { servers } = (await (await fetch(`${gateway.url}/readyz`)).json()) as { servers: Json[] }
    const status = servers.find((one) => one['server'] === server)
    if (status?.['state'] === 'failed') throw new Error(`${server}: ${String(status['detail'])}`)
    return status?.['state'] === 'ready' ? true : undefined
  })
}

test.for(registryServers.map((line) => [line.package, line] as const))('%s', async ([reference, line]) => {
  const started = performance.now()
  const place = told.push({ package: reference, passed: false }) - 1
  const options = ['--yes', '--json', '--gateway', 'main', ...(line.options?.(folder) ?? [])]
  const added = await runCli(['servers', 'add', reference, ...options, '--', ...(line.args?.(folder) ?? [])], {
    cwd: gateway.dir,
    env: { ...registrySettings, PATH: process.env['PATH'] ?? '', TURNWARD_CONFIG: gateway.configPath },
    timeout: 500_000,
  })
  expect(added.code, added.stdout + added.stderr).toBe(0)
  const shown = JSON.parse(added.stdout) as { server: string; package: string; tools: unknown[] }
  const { server } = shown
  await ready(server)
  const client = await connectClient(gateway.url, key, { name: server })
  try {
    const { tools } = await client.listTools()
    const own = tools.filter(({ name }) => name.startsWith(`${server}__`))
    expect(own.map(({ name }) => name)).toEqual(expect.arrayContaining(line.tools.map((tool) => `${server}__${tool}`)))
    for (const { tool, args, gives, failed } of line.calls) {
      const result = await client.callTool({ name: `${server}__${tool}`, arguments: args?.(folder) ?? {} })
      expect(JSON.stringify(result), tool).toMatch(gives)
      expect(result.isError ?? false, JSON.stringify(result)).toBe(failed ?? false)
    }
    for (const { uri, gives } of line.reads ?? []) expect(JSON.stringify(await client.readResource({ uri }))).toMatch(gives)
    const prompts = (await client.listPrompts()).prompts.map(({ name }) => name)
    expect(prompts).toEqual(expect.arrayContaining((line.prompts ?? []).map((prompt) => `${server}__${prompt}`)))
    if (line.app !== undefined) {
      const meta = own.find(({ name }) => name === `${server}__${line.app}`)?._meta as { ui?: { resourceUri?: string } } | undefined
      const uri = meta?.ui?.resourceUri ?? ''
      expect(uri).toMatch(/^ui:\/\//)
      const { contents } = await client.readResource({ uri })
      expect(contents).toEqual([expect.objectContaining({ uri, mimeType: expect.stringContaining('text/html') })])
      expect(JSON.stringify(contents)).toMatch(/<html/i)
    }
    told[place] = {
      package: reference,
      version: shown.package,
      tools: own.length,
      seconds: (performance.now() - started) / 1000,
      passed: true,
    }
  } finally {
    await client.close()
  }
})
