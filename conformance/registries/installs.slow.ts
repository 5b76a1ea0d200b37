/** Servers from the registries themselves: installed, shown, checked at every start, removed. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { runCli } from '../harness/cli.ts'
import type { Json } from '../harness/json.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnward-registries-'))
  await writeFile(join(home, 'turnward.yaml'), 'version: 1\n')
  return () => rm(home, { recursive: true, force: true })
})
/** What is downloaded takes as long as it takes. */
const waitsForRegistriesMs = 300_000
const run = async (...args: readonly string[]) => {
  const { code, stdout, stderr } = await runCli([...args, '--json'], {
    cwd: home,
    env: { ...process.env, HOME: home } as Record<string, string>,
  })
  return { code, stderr, said: stdout === '' ? {} : (JSON.parse(stdout) as Json) }
}

test.each([
  ['npm', 'npm:@modelcontextprotocol/server-memory', 'memory', 'read_graph'],
  ['PyPI', 'pypi:mcp-server-time', 'time', 'get_current_time'],
])(
  'a server of %s',
  async (_registry, name, server, tool) => {
    const added = await run('servers', 'add', name, '--yes')
    expect([added.code, added.stderr]).toEqual([0, ''])
    expect((added.said['tools'] as Json[]).map((one) => one['name'])).toContain(tool)
    const listed = async () => ((await run('servers', 'list')).said['servers'] as Json[])[0]
    expect(await listed()).toMatchObject({ name: server, installed: { problem: null, package: expect.stringContaining(`${name}@`) } })
    const { said } = await run('check')
    expect(said['changed']).toEqual({})
    const text = await readFile(join(home, 'turnward.yaml'), 'utf8')
    const program = join(home, /\.turnward\/installed\/[^,\]\s]+/.exec(text)?.[0] ?? '')
    await writeFile(program, `${await readFile(program, 'utf8')}\n`)
    expect((await run('check')).said['changed']).toEqual({ [server]: expect.stringContaining('are not those that were installed') })
    expect((await run('servers', 'remove', server, '--yes')).said).toMatchObject({ removed: true })
    expect(await readdir(join(home, '.turnward/installed', server))).toEqual([])
  },
  waitsForRegistriesMs,
)
