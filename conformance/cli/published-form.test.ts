/** The form that is published: the build, the executable and the manifest, in a folder with no sources and no dependencies near it. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { repositoryRoot } from '../harness/gateway-process.ts'
import { until } from '../harness/until.ts'

const execute = promisify(execFile)

let home: string
let executable: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnward-published-'))
  const folder = join(home, 'turnward')
  executable = join(folder, 'bin/turnward.mjs')
  for (const part of ['bin', 'demo', 'package.json'])
    await cp(join(repositoryRoot, 'gateway', part), join(folder, part), { recursive: true })
  await execute(process.execPath, [join(repositoryRoot, 'scripts/build.ts'), join(folder, 'dist')])
  await writeFile(join(home, 'turnward.yaml'), JSON.stringify({ version: 1, listen: { port: 0 } }))
})
afterAll(() => rm(home, { recursive: true, force: true }))

const env = { PATH: process.env['PATH'] ?? '' }
const run = (...args: string[]) => execute(process.execPath, [executable, ...args], { cwd: home, env })

test('is flat: threads and the forwarder of the sandbox lie beside the command line', async () => {
  const names = await readdir(join(home, 'turnward/dist'), { withFileTypes: true })
  expect(names.every((entry) => entry.isFile())).toBe(true)
  expect(names.map(({ name }) => name)).toEqual(expect.arrayContaining(['main.js', 'egress-forwarder.js']))
})

test('the forwarder of the sandbox is one file, which runs where nothing else is', async () => {
  // Alone in a folder, as it is inside the sandbox.
  const alone = join(home, 'alone/egress-forwarder.mts')
  await cp(join(home, 'turnward/dist/egress-forwarder.js'), alone)
  const { stdout } = await execute(
    process.execPath,
    [alone, join(home, 'no-folder'), '[]', process.execPath, '-p', 'process.env.HTTP_PROXY'],
    {
      env,
    },
  )
  expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/m)
})

test('`version` is the one of the manifest', async () => {
  const { stdout } = await run('version', '--json')
  expect(JSON.parse(stdout)).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+\.\d+/) })
})

test('`check` takes a configuration', async () => {
  expect((await run('check')).stdout).toMatch(/^ok: revision/)
})

test('`start` answers, and ends cleanly when it is told to', async () => {
  const child = spawn(process.execPath, [executable, 'start', '--json'], { cwd: home, env, stdio: ['ignore', 'pipe', 'ignore'] })
  try {
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
    const line = await until('the ready line', () => /^\{.*"event":"ready".*\}$/m.exec(said)?.[0])
    const { url } = JSON.parse(line) as { url: string }
    expect(await (await fetch(`${url}/healthz`)).json()).toMatchObject({ status: 'ok' })
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('turnward_')
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  } finally {
    child.kill('SIGKILL')
  }
})

test('`demo` runs its governed turn with the server that was built with it', async () => {
  const { stdout } = await run('demo', '--once', '--json')
  const told = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { toolCalls: { tool: string; action: string }[] }
  expect(told.toolCalls).toEqual(expect.arrayContaining([expect.objectContaining({ tool: 'mail__read_message', action: 'release' })]))
})
