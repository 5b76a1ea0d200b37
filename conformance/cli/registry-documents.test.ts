/** Servers that are added from a document of the MCP registry: packages with what they need, and addresses. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { runCli } from '../harness/cli.ts'
import { startNpmRegistry, type NpmRegistry } from '../harness/npm-registry.ts'
import { fixtureServer, startModern, type ModernUpstream } from '../mcp/upstream-servers.ts'

let registry: NpmRegistry
let remote: ModernUpstream
beforeAll(async () => {
  registry = await startNpmRegistry([
    {
      name: 'mcp-telling',
      version: '1.0.0',
      bin: 'serve.mjs',
      files: {
        'stdio-server.mjs': readFileSync(fixtureServer('stdio-server.mjs'), 'utf8'),
        'serve.mjs': `#!/usr/bin/env node
import { serveTools } from './stdio-server.mjs'
serveTools({ [[...process.argv.slice(2), process.env.REGION, process.env.API_KEY].join('-')]: { run: () => 'done' } })
`,
      },
    },
  ])
  remote = await startModern()
})
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]()
  await remote?.[Symbol.asyncDispose]()
})

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnward-documents-'))
  await writeFile(join(home, 'turnward.yaml'), 'version: 1\n')
  return () => rm(home, { recursive: true, force: true })
})

async function add(document: object, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  await writeFile(
    join(home, 'server.json'),
    JSON.stringify({ name: 'io.github.acme/telling-mcp', description: 'Tells.', version: '1.0.0', ...document }),
  )
  const result = await runCli(['servers', 'add', './server.json', '--gateway', 'main', '--json', ...args], {
    cwd: home,
    env: { PATH: process.env['PATH'] ?? '', HOME: home, ...registry.env, ...env },
  })
  return { ...result, written: await readFile(join(home, 'turnward.yaml'), 'utf8') }
}
const telling = (more: object = {}) => ({
  packages: [
    {
      registryType: 'npm',
      identifier: 'mcp-telling',
      version: '1.0.0',
      transport: { type: 'stdio' },
      fileSha256: createHash('sha256').update(registry.file('mcp-telling', '1.0.0')).digest('hex'),
      packageArguments: [{ type: 'named', name: '--mode', isRequired: true }],
      environmentVariables: [
        { name: 'API_KEY', description: 'From the console.', isRequired: true, isSecret: true },
        { name: 'REGION', default: 'eu' },
      ],
      ...more,
    },
  ],
})

test('a package is installed with its arguments and variables; what it needs is said before anything is done', async () => {
  const asked = await add(telling(), ['--yes'])
  expect([asked.code, asked.stderr]).toEqual([1, expect.stringContaining('--set --mode=')])
  const secret = await add(telling(), ['--yes', '--set', '--mode=a'])
  expect([secret.code, secret.stderr]).toEqual([1, expect.stringContaining('API_KEY (From the console.)')])
  const added = await add(telling(), ['--yes', '--set', '--mode=a'], { API_KEY: 'hunter2' })
  expect([added.code, added.stderr]).toEqual([0, ''])
  // The server has them all.
  expect(JSON.parse(added.stdout)).toMatchObject({ written: true, server: 'telling', tools: [{ name: '--mode-a-eu-hunter2' }] })
  expect(added.written).toContain('API_KEY: ${API_KEY}')
  expect(added.written).not.toContain('hunter2')
  expect(added.written).toMatch(/"--mode",? a\]|--mode, a\]/)
})

test('a package whose file is another than the document says is not installed', async () => {
  const refused = await add(telling({ fileSha256: '0'.repeat(64) }), ['--yes', '--set', '--mode=a'], { API_KEY: 'hunter2' })
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('the registry has another one')])
  expect(refused.written).toBe('version: 1\n')
  expect(await readdir(join(home, '.turnward')).catch(() => [])).toEqual([])
})

test('an address is asked for its tools and written; one that does not answer is not', async () => {
  const remotes = (url: string) => ({ remotes: [{ type: 'streamable-http', url }] })
  const dead = await add(remotes('http://127.0.0.1:9/mcp'), ['--yes'])
  expect([dead.code, dead.written]).toEqual([4, 'version: 1\n'])
  const dry = await add(remotes(remote.url), ['--dry-run'])
  expect([dry.code, dry.written]).toEqual([0, 'version: 1\n'])
  const added = await add(remotes(remote.url), ['--yes'])
  expect([added.code, added.stderr]).toEqual([0, ''])
  expect(added.written).toContain(`transport: http\n    url: ${remote.url}\n`)
  expect((JSON.parse(added.stdout) as { tools: unknown[] }).tools.length).toBeGreaterThan(0)
})
