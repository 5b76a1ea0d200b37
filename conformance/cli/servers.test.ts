/** Servers that are installed: added from a registry, listed, shown, brought up to date, removed, and never started with other files. */
import { readFileSync } from 'node:fs'
import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { runCli, type CliResult } from '../harness/cli.ts'
import { startGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { startNpmRegistry, type NpmRegistry } from '../harness/npm-registry.ts'
import { until } from '../harness/until.ts'
import { fixtureServer } from '../mcp/upstream-servers.ts'

const stdioServer = readFileSync(fixtureServer('stdio-server.mjs'), 'utf8')
/** A notebook whose tools have these descriptions; every answer tells its arguments. */
const notebook = (version: string, tools: Readonly<Record<string, string>>) => ({
  name: 'mcp-notebook',
  version,
  bin: 'bin/serve.mjs',
  files: {
    'bin/stdio-server.mjs': stdioServer,
    'bin/serve.mjs': `#!/usr/bin/env node
import { serveTools } from './stdio-server.mjs'
const described = ${JSON.stringify(tools)}
console.error('notebook ${version} ' + process.argv.slice(2).join(' '))
serveTools(Object.fromEntries(Object.entries(described).map(([name, description]) => [name, { description, run: () => '${version}' }])))
`,
  },
})
const broken = {
  ...notebook('3.0.0', {}),
  files: { 'bin/serve.mjs': '#!/usr/bin/env node\nconsole.error("needs another library")\nprocess.exitCode = 3\n' },
}

let registry: NpmRegistry
beforeAll(async () => {
  registry = await startNpmRegistry([
    notebook('1.0.0', { read: 'Reads the note of today.', erase: 'Erases it.' }),
    broken,
    notebook('2.0.0', { read: 'Reads the note of a day.', write: 'Writes a note.' }),
  ])
})
afterAll(() => registry?.[Symbol.asyncDispose]())

const config = `# ours
servers:
  web: { transport: http, url: "https://web.example/mcp?key=hunter2hunter2", headers: { authorization: "Bearer hunter2hunter2" } }
gateways:
  main: { servers: [web] } # what people use
`
let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnward-servers-'))
  await writeFile(join(home, 'turnward.yaml'), config)
  return () => rm(home, { recursive: true, force: true })
})

function run(...args: readonly string[]): Promise<CliResult> {
  return runCli(args, { cwd: home, env: { PATH: process.env['PATH'] ?? '', HOME: home, ...registry.env } })
}
const json = async (...args: readonly string[]): Promise<Json> => {
  const { code, stdout, stderr } = await run(...args, '--json')
  expect([code, stderr]).toEqual([0, ''])
  return JSON.parse(stdout) as Json
}
const written = () => readFile(join(home, 'turnward.yaml'), 'utf8')
const installedFolders = () => readdir(join(home, '.turnward/installed/notebook')).catch(() => [])
const install = (...more: readonly string[]) => run('servers', 'add', 'npm:mcp-notebook@1.0.0', '--gateway', 'main', '--yes', ...more)
const script = (version: string) => join(home, `.turnward/installed/notebook/${version}/node_modules/mcp-notebook/bin/serve.mjs`)

test('a server that was added is listed and shown with what it is, and nothing that is secret', async () => {
  expect(await install('--env', 'LEVEL=hunter2hunter2', '--', 'first', '--token=hunter2hunter2')).toMatchObject({ code: 0 })
  expect(await written()).toMatch(/installed:\n {6}package: npm:mcp-notebook@1\.0\.0\n {6}tree: sha256:[0-9a-f]{64}\n/)
  const { servers } = (await json('servers', 'list')) as { servers: Json[] }
  expect(servers).toEqual([
    expect.objectContaining({
      name: 'web',
      transport: 'http',
      url: 'https://web.example/mcp?key=****',
      installed: null,
      gateways: ['main'],
      tools: null,
    }),
    expect.objectContaining({
      name: 'notebook',
      transport: 'stdio',
      command: ['node', './.turnward/installed/notebook/1.0.0/node_modules/mcp-notebook/bin/serve.mjs', 'first', '--token=****'],
      installed: expect.objectContaining({
        package: 'npm:mcp-notebook@1.0.0',
        problem: null,
        integrity: expect.stringMatching(/^sha512-/),
      }),
      gateways: ['main'],
    }),
  ])
  const shown = await json('servers', 'show', 'notebook')
  expect(shown).toMatchObject({
    sandbox: { runner: 'bubblewrap', mounts: [], network: [], limits: { memory_mb: 1024 } },
    entry: { env: { LEVEL: '****' } },
    tools: null,
  })
  const { runs } = shown['sandbox'] as { runs: string[] }
  expect(runs[0]).toMatch(/bwrap$/)
  expect(runs.at(-1)).toBe('--token=****')
  const texts = [await run('servers', 'list'), await run('servers', 'show', 'notebook'), await run('servers', 'show', 'web')]
  expect(texts.map(({ code }) => code)).toEqual([0, 0, 0])
  expect(JSON.stringify([servers, shown, texts])).not.toContain('hunter2')
  expect(texts[0]?.stdout).toMatch(/^notebook +stdio +npm:mcp-notebook@1\.0\.0 +as installed +main /m)
})

test('an update shows what changes, keeps what was written, and takes the old version away', async () => {
  await install('first')
  const before = await written()
  const asked = await run('servers', 'update', 'notebook')
  expect([asked.code, asked.stdout]).toEqual([5, expect.stringContaining('npm:mcp-notebook@2.0.0')])
  expect([await written(), await installedFolders()]).toEqual([before, ['1.0.0']])

  const shown = await run('servers', 'update', 'notebook', '--yes')
  expect(shown.stdout).toContain('- Reads the note of today.\n    + Reads the note of a day.')
  expect(shown.stdout).toMatch(/^write {2}added$/m)
  expect(shown.stdout).toMatch(/^erase {2}removed$/m)
  expect(shown.stdout).toContain('2 definitions are held until somebody approves: `turnward tools review --server notebook`')
  expect(await installedFolders()).toEqual(['2.0.0'])
  const tree = /sha256:\w+/.exec(await written())?.[0] ?? ''
  expect(await written()).toBe(before.replaceAll('1.0.0', '2.0.0').replace(/sha256:\w+/, tree))
  expect(await json('servers', 'update', 'notebook')).toMatchObject({ changed: false })
  // Back to what it was.
  expect(await json('servers', 'update', 'notebook', '--version', '1.0.0', '--yes')).toMatchObject({ changed: true })
  expect(await written()).toBe(before)
})

test('a version that does not start changes nothing', async () => {
  await install()
  const before = await written()
  const failed = await run('servers', 'update', 'notebook', '--version', '3.0.0', '--yes')
  expect([failed.code, failed.stderr]).toEqual([4, expect.stringContaining('its tools could not be listed')])
  expect(failed.stderr).toContain('it wrote: needs another library')
  expect([await written(), await installedFolders()]).toEqual([before, ['1.0.0']])
  expect((await run('servers', 'update', 'notebook', '--version', '9.9.9', '--yes')).code).toBe(1)
  expect(await installedFolders()).toEqual(['1.0.0'])
  expect((await run('servers', 'update', 'web', '--yes')).stderr).toContain('nothing that `turnward servers add` has installed')
})

test('a removed server leaves the configuration, its gateways and the disk, and nothing else does', async () => {
  await install()
  const before = await written()
  const asked = await run('servers', 'remove', 'notebook')
  expect([asked.code, asked.stdout]).toEqual([5, expect.stringContaining('Nothing was changed.')])
  expect([await written(), await installedFolders()]).toEqual([before, ['1.0.0']])
  expect(await json('servers', 'remove', 'notebook', '--yes')).toMatchObject({ removed: true, gateways: ['main'] })
  expect([await written(), await installedFolders()]).toEqual([config, []])
  const last = await run('servers', 'remove', 'web', '--yes')
  expect([last.code, last.stderr]).toEqual([1, expect.stringMatching(/only server of `gateways\.main`.*Take that gateway out/s)])
  expect(await written()).toBe(config)
  expect((await run('servers', 'remove', 'nottebook', '--yes')).code).toBe(1)
})

test('a server whose files have changed is not started, everybody is told, and an update mends it', async () => {
  await install()
  await writeFile(script('1.0.0'), `${await readFile(script('1.0.0'), 'utf8')}\n// one more line\n`)
  const why = 'the files of npm:mcp-notebook@1.0.0 are not those that were installed'
  expect((await run('check')).stdout).toContain(`notebook will not be started: ${why}`)
  const { findings } = JSON.parse((await run('doctor', '--json')).stdout) as { findings: Json[] }
  expect(findings).toContainEqual(
    expect.objectContaining({
      check: 'server notebook',
      level: 'problem',
      detail: expect.stringContaining(why),
      fix: expect.stringContaining('turnward servers update notebook'),
    }),
  )
  expect((await run('servers', 'list')).stdout).toMatch(/notebook +stdio +npm:mcp-notebook@1\.0\.0 +CHANGED/)

  const mended = await json('servers', 'update', 'notebook', '--version', '1.0.0', '--yes')
  expect(mended).toMatchObject({ changed: true, tools: [] })
  expect(await installedFolders()).toEqual(['1.0.0_2'])
  expect((await run('check')).stdout).not.toContain('will not be started')
})

test('the gateway itself looks before every start', async () => {
  await using gateway = await startGateway({ config: `listen: { port: 0 }\n${config}`, env: registry.env })
  const add = await gateway.cli(['servers', 'add', 'npm:mcp-notebook@1.0.0', '--gateway', 'main', '--yes'])
  expect([add.code, add.stderr]).toEqual([0, ''])
  const state = async () => {
    const { servers } = (await (await fetch(`${gateway.url}/readyz`)).json()) as { servers: Json[] }
    return servers.find(({ server }) => server === 'notebook')
  }
  await until('the server', async () => ((await state())?.['state'] === 'ready' ? true : undefined))
  // A dot file in the folder of a dependency is a file as well.
  await writeFile(join(gateway.dataDir, 'installed/notebook/1.0.0/node_modules/.more'), '')
  const text = await readFile(gateway.configPath, 'utf8')
  await gateway.reload(text.replace('transport: stdio', 'transport: stdio\n    timeout_ms: 1234'))
  const refused = await until('the refusal', async () => ((await state())?.['state'] === 'failed' ? state() : undefined))
  expect(refused?.['detail']).toMatch(/files of npm:mcp-notebook@1\.0\.0 are not those.*turnward servers update notebook/)
  const listed = JSON.parse((await gateway.cli(['servers', 'list', '--json'])).stdout) as { servers: Json[] }
  expect(listed.servers.find(({ name }) => name === 'notebook')?.['tools']).toBe(2)
  const shown = JSON.parse((await gateway.cli(['servers', 'show', 'notebook', '--json'])).stdout) as { tools: Json[] }
  expect(shown.tools.map(({ name, pin, by }) => [name, pin, by])).toEqual([
    ['read', 'approved', 'first listing'],
    ['erase', 'approved', 'first listing'],
  ])
  await access(gateway.configPath)
})
