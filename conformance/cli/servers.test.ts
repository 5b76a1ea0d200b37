/** `turnward servers add` against the real registries: what it installs runs in the sandbox, and its entry works as written. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { runCli, type CliResult } from '../harness/cli.ts'
import type { Json } from '../harness/json.ts'

const slow = 300_000
const hasSandbox = spawnSync('bwrap', ['--version']).status === 0
const hasPython = spawnSync('python3', ['-c', 'import venv, ensurepip']).status === 0
if (!hasSandbox) console.warn('servers add is not tested: there is no bubblewrap on this machine')
if (!hasPython) console.warn('servers add pypi: is not tested: there is no python3 with venv on this machine')

const written =
  '# ours\nservers:\n  web: { transport: http, url: "https://a.example/mcp" } # the web\n\n# endpoints\ngateways:\n  main: { servers: [web] }\n'
let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnward-servers-'))
  await mkdir(join(home, 'notes'))
  await writeFile(join(home, 'turnward.yaml'), written)
  return () => rm(home, { recursive: true, force: true })
})

function run(...args: string[]): Promise<CliResult> {
  return runCli(args, { cwd: home, env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? home } })
}

const filesystem = 'npm:@modelcontextprotocol/server-filesystem@2026.8.31'

test('where nobody can be asked it says what it would do, and changes nothing', { timeout: slow }, async () => {
  const { code, stdout } = await run('servers', 'add', filesystem, './notes', '--mount', './notes:rw')
  expect([code, stdout]).toEqual([5, expect.stringContaining('Add --yes')])
  expect(stdout).toMatch(/server-filesystem@2026\.8\.31 {2}sha512-/)
  expect(await readFile(join(home, 'turnward.yaml'), 'utf8')).toBe(written)
  expect(existsSync(join(home, '.turnward', 'installed'))).toBe(false)
})

test.skipIf(!hasSandbox)('a package of npm is installed, tried and written, and the file stays as it was', { timeout: slow }, async () => {
  const { code, stdout, stderr } = await run(
    'servers',
    'add',
    filesystem,
    './notes',
    '--mount',
    './notes:rw',
    '--gateway',
    'main',
    '--yes',
    '--json',
  )
  expect([code, stderr]).toEqual([0, ''])
  const added = JSON.parse(stdout) as Json
  expect(added).toMatchObject({ server: 'filesystem', written: true, entry: { mounts: [{ path: './notes', write: true }] } })
  expect((added['tools'] as Json[]).map(({ name }) => name)).toContain('read_text_file')
  const after = await readFile(join(home, 'turnward.yaml'), 'utf8')
  for (const kept of ['# ours\n', '# the web\n', '\n\n# endpoints\n', 'servers: [web, filesystem]']) expect(after).toContain(kept)
  expect((await run('check')).code).toBe(0)
  expect(await run('servers', 'add', filesystem, '--yes')).toMatchObject({ code: 1, stderr: expect.stringContaining('--name') as string })
})

test.skipIf(!hasSandbox || !hasPython)(
  'a package of PyPI runs from an environment of its own, without a mount',
  { timeout: slow },
  async () => {
    const { code, stdout, stderr } = await run(
      'servers',
      'add',
      'pypi:mcp-server-time',
      '--yes',
      '--json',
      '--',
      '--local-timezone',
      'Europe/Berlin',
    )
    expect([code, stderr]).toEqual([0, ''])
    expect(JSON.parse(stdout)).toMatchObject({
      written: true,
      tools: expect.arrayContaining([expect.objectContaining({ name: 'convert_time' })]) as unknown,
    })
  },
)
