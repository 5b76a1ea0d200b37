/** MCP Inspector's command line, as a developer points it at an endpoint: every protocol era, listing and calling. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { repositoryRoot, startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { hangsAfterMs } from '../harness/until.ts'
import { fixtureServer, installed, serversReady } from './upstream-servers.ts'

const key = 'tw_conformance_ada_000000000001'
let gateway: RunningGateway
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnward-inspector-'))
  gateway = await startGateway({
    config: {
      principals: { ada: {} },
      keys: { ada: { principal: 'ada', secret: key } },
      grants: [{ principals: ['ada'], gateways: ['main'], tools: ['*'] }],
      servers: {
        every: { transport: 'stdio', command: ['node', installed('@modelcontextprotocol/server-everything/dist/index.js')] },
        office: { transport: 'stdio', command: ['node', fixtureServer('office.mjs'), folder], mounts: [{ path: folder, write: true }] },
      },
      gateways: { main: { servers: ['every', 'office'] } },
      contracts: { '*': { output: { trust: 'trusted' } } },
      rules: [
        { name: 'no-publishing', when: "tool.name == 'office__publish'", verdict: 'deny', reason: 'Nothing is published from here.' },
        {
          name: 'small-numbers',
          when: "tool.name == 'office__count' && args.n > 5",
          verdict: 'deny',
          reason: 'Numbers above five are not counted.',
        },
      ],
    },
  })
  await serversReady(gateway.url)
})

afterAll(async () => {
  await gateway?.stop()
  await rm(folder, { recursive: true, force: true })
})

interface Run {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function inspect(era: string, args: readonly string[], secret = key): Promise<Run> {
  const shared = [
    '--cli',
    `${gateway.url}/mcp/main`,
    '--transport',
    'http',
    '--protocol-era',
    era,
    '--stored-auth-only',
    '--format',
    'json',
    '--header',
    `Authorization: Bearer ${secret}`,
  ]
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(repositoryRoot, 'node_modules/.bin/mcp-inspector'), ...shared, ...args],
      { env: { PATH: process.env['PATH'] ?? '', HOME: folder }, timeout: hangsAfterMs },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr }),
    )
  })
}

/** What the inspector printed, whether bare or in an envelope. */
function resultOf({ stdout, stderr }: Run): Json {
  if (stdout.trim() === '') throw new Error(`the inspector printed nothing: ${stderr}`)
  const printed = JSON.parse(stdout) as Json
  return (printed['result'] ?? printed) as Json
}

describe.each(['legacy', 'auto', 'modern'])('the inspector in era %s', (era) => {
  test('lists the tools', async () => {
    const run = await inspect(era, ['--method', 'tools/list'])
    expect(run).toMatchObject({ code: 0 })
    const names = resultOf(run)['tools'].map((tool: Json) => String(tool['name']))
    expect(names).toEqual(expect.arrayContaining(['every__echo', 'office__count']))
    expect(names).not.toContain('office__publish')
  })

  test('calls a tool', async () => {
    const run = await inspect(era, ['--method', 'tools/call', '--tool-name', 'every__echo', '--tool-arg', 'message=hello'])
    expect(run).toMatchObject({ code: 0 })
    expect(resultOf(run)['content']).toEqual([{ type: 'text', text: 'Echo: hello' }])
  })

  test('shows a refusal as an error of the tool', async () => {
    const run = await inspect(era, ['--method', 'tools/call', '--tool-name', 'office__count', '--tool-args-json', '{"n":7}'])
    expect(run).toMatchObject({ code: 5 })
    expect(run.stdout + run.stderr).toContain('Numbers above five are not counted')
  })

  test('does not find a tool that no call could reach', async () => {
    const run = await inspect(era, ['--method', 'tools/call', '--tool-name', 'office__publish'])
    expect(run.code).not.toBe(0)
    expect(run.stdout + run.stderr).toContain('not found')
  })
})

test('a wrong key is an authentication failure', async () => {
  expect(await inspect('auto', ['--method', 'tools/list'], 'tw_conformance_nobody_0000000000')).toMatchObject({ code: 3 })
})
