/** Packs for MCP servers, held against the servers themselves: each tool is described, and no line names a tool there is not. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, test } from 'vitest'
import { runCli } from '../harness/cli.ts'
import type { Json } from '../harness/json.ts'

const installed = (path: string) => fileURLToPath(new URL(`../../node_modules/@modelcontextprotocol/${path}`, import.meta.url))

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnward-packs-'))
  return () => rm(home, { recursive: true, force: true })
})

/** Two servers that need no network and no account, under names of the administrator. */
async function run(packs: readonly unknown[], ...args: readonly string[]): Promise<Json> {
  const started = { transport: 'stdio', runner: 'process', unsafe_no_sandbox: true }
  const servers = {
    files: { ...started, command: ['node', installed('server-filesystem/dist/index.js'), home] },
    notes: { ...started, command: ['node', installed('server-memory/dist/index.js')], env: { MEMORY_FILE_PATH: join(home, 'm.jsonl') } },
  }
  await writeFile(join(home, 'turnward.yaml'), JSON.stringify({ servers, packs }))
  const { code, stdout, stderr } = await runCli(['policy', ...args, '--json'], {
    cwd: home,
    env: { PATH: process.env['PATH'] ?? '', HOME: home },
  })
  expect([code, stderr]).toEqual([0, ''])
  return JSON.parse(stdout) as Json
}

describe('packs for servers that run here', () => {
  test('are proposed for the servers whose tools they know, and with them nothing is left to describe', async () => {
    const before = await run([], 'suggest')
    expect((before['packs'] as Json[]).map(({ pack, server }) => [pack, server])).toEqual([
      ['filesystem', 'files'],
      ['memory', 'notes'],
    ])
    expect(before).toMatchObject({ drafts: [], yaml: expect.stringContaining('packs: [{ filesystem: files }, { memory: notes }]') })
    const bound = [{ filesystem: 'files' }, { memory: 'notes' }]
    const after = await run(bound, 'suggest')
    const { tools } = after['coverage'] as Json
    expect(after).toMatchObject({ packs: [], drafts: [], coverage: { described: tools, drafted: 0 } })

    const shown = ((await run(bound, 'show', '--effective'))['contracts'] as Json[]).map(({ pattern }) => pattern)
    const listed = (before['packs'] as Json[]).flatMap((one) => one['tools'] as string[])
    expect(shown.toSorted()).toEqual(listed.toSorted())
    expect(listed.length).toBeGreaterThan(20)
  })
})
