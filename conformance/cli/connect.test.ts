/** `turnward connect`: what is written, what is kept, what is taken back; and that the snippets of programs work as they are. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { runCli, type CliResult } from '../harness/cli.ts'
import { repositoryRoot, startGateway, type RunningGateway } from '../harness/gateway-process.ts'

const run = promisify(execFile)
const key = 'tw_connect_000000000000000000001'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnward-connect-'))
  return () => rm(home, { recursive: true, force: true })
})

const connect = (...args: string[]): Promise<CliResult> =>
  runCli(['connect', ...args], { cwd: home, env: { PATH: process.env['PATH'] ?? '', HOME: home } })
const at = ['--url', 'https://turnward.acme.example']
const text = (path: string): Promise<string> => readFile(join(home, path), 'utf8')
const write = async (path: string, content: string): Promise<void> => {
  await mkdir(dirname(join(home, path)), { recursive: true })
  await writeFile(join(home, path), content, { mode: 0o640 })
}
const files = async (): Promise<string[]> => {
  const found = await readdir(home, { recursive: true, withFileTypes: true })
  return found.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name).slice(home.length + 1))
}

const agents: readonly (readonly [client: string, files: readonly string[]])[] = [
  ['claude-code', ['.claude.json', '.claude/settings.json']],
  ['codex', ['.codex/config.toml']],
  ['gemini-cli', ['.gemini/settings.json']],
  ['opencode', ['.config/opencode/opencode.json']],
  ['cursor', ['.cursor/mcp.json']],
  ['vscode', ['.config/Code/User/mcp.json']],
]

test.each(agents)('%s is connected where it looks, and nothing is left of it afterwards', async (client, paths) => {
  const { code, stdout } = await connect(client, ...at, '--yes', '--json')
  expect([code, JSON.parse(stdout)]).toMatchObject([0, { written: true, url: 'https://turnward.acme.example' }])
  expect((await files()).sort()).toEqual(paths.flatMap((path) => [path, `${path}.before-turnward`]).sort())
  for (const path of paths) expect((await stat(join(home, path))).mode & 0o777).toBe(0o600)
  expect((await Promise.all(paths.map(text))).join('')).toContain('https://turnward.acme.example/mcp/main')
  expect(await connect(client, '--undo', '--yes')).toMatchObject({ code: 0 })
  expect(await files()).toEqual([])
})

test('nothing is changed that nobody agreed to, and nothing twice', async () => {
  const shown = await connect('cursor', ...at)
  expect([shown.code, await files()]).toEqual([5, []])
  expect(shown.stdout).toContain('Nothing was changed. Add --yes')
  await connect('cursor', ...at, '--yes')
  expect(await connect('cursor', ...at, '--yes')).toMatchObject({ code: 0, stdout: expect.stringContaining('leads here already') })
  expect(await connect('codex', '--undo', '--yes')).toMatchObject({ code: 5, stdout: expect.stringContaining('Nothing of Codex') })
})

test('a file that was there is kept beside, byte for byte, and comes back', async () => {
  const before = '{\n\t"theme": "dark", "mcpServers": {"files": {"command": "node"}}\n}'
  await write('.claude.json', before)
  await connect('claude-code', ...at, '--yes')
  expect(JSON.parse(await text('.claude.json'))).toMatchObject({ theme: 'dark', mcpServers: { files: {}, turnward: { type: 'http' } } })
  expect(await text('.claude.json.before-turnward')).toBe(before)
  expect((await stat(join(home, '.claude.json'))).mode & 0o777).toBe(0o640)
  // Another address: what was there before the first time is still what is kept.
  await connect('claude-code', '--url', 'https://other.example', '--yes')
  expect(await text('.claude.json.before-turnward')).toBe(before)
  await connect('claude-code', '--undo', '--yes')
  expect([await text('.claude.json'), await files()]).toEqual([before, ['.claude.json']])
})

test('what a client wrote after it was connected stays when it is disconnected', async () => {
  await write('.codex/config.toml', 'model_provider = "openai"\n')
  await connect('codex', ...at, '--yes')
  await writeFile(join(home, '.codex/config.toml'), `${await text('.codex/config.toml')}\n[projects."/work"]\ntrust_level = "trusted"\n`)
  await connect('codex', '--undo', '--yes')
  const left = await text('.codex/config.toml')
  expect(left).toContain('model_provider = "openai"')
  expect(left).toContain('trust_level = "trusted"')
  expect(left).not.toContain('turnward')
})

test('a secret that is replaced is shown to nobody', async () => {
  await write(
    '.cursor/mcp.json',
    '{"mcpServers":{"turnward":{"url":"http://old.example","headers":{"Authorization":"Bearer sk-live-0123456789abcdef"}}}}',
  )
  const told = [
    await connect('cursor', ...at, '--dry-run'),
    await connect('cursor', ...at, '--json'),
    await connect('cursor', ...at, '--yes'),
  ]
  expect(told.map(({ code }) => code)).toEqual([0, 5, 0])
  expect(JSON.stringify(told)).not.toContain('sk-live')
})

test("a project's files are its own", async () => {
  await connect('claude-code', ...at, '--project', 'app', '--yes')
  expect(await files()).toEqual(expect.arrayContaining(['app/.claude/settings.json', 'app/.mcp.json']))
  expect(await files()).not.toContain('.claude.json')
})

test.each([
  [['claude'], 1, 'claude-code'],
  [['codex', '--url', 'ftp://x'], 1, '--url'],
  [['codex', '--config', 'nothing.yaml'], 3, 'nothing.yaml'],
])('connect %j ends with %i and says what is wrong', async (args, code, words) => {
  const { stderr, ...ended } = await connect(...args)
  expect(ended).toMatchObject({ code, stdout: '' })
  expect(stderr).toContain(words)
})

describe('programs', () => {
  let gateway: RunningGateway
  beforeAll(async () => {
    gateway = await startGateway({
      config: {
        listen: { port: 0, public_url: 'https://turnward.acme.example' },
        upstreams: { model: { kind: 'scripted', steps: [{ text: 'Hello from the model.' }] } },
        routes: ['gpt-*', 'claude-*', 'gemini-*'].map((model) => ({ model, upstreams: ['model'] })),
        principals: { ada: {} },
        keys: { ada: { principal: 'ada', secret: key } },
        grants: [{ principals: ['ada'], models: ['*'] }],
      },
    })
  })
  afterAll(() => gateway?.stop())

  test.each(['openai', 'anthropic', 'google', 'ai-sdk', 'langchain', 'curl'])('what is printed for %s runs', async (client) => {
    const { stdout } = await runCli(['connect', client, '--url', gateway.url, '--json'], {
      cwd: home,
      env: { PATH: process.env['PATH'] ?? '', HOME: home },
    })
    const { code } = JSON.parse(stdout) as { code: { language: string; text: string }[] }
    const env = { ...process.env, TURNWARD_KEY: key }
    for (const { language, text: program } of code) {
      if (language === 'py') continue
      const answer =
        language === 'js'
          ? await run(process.execPath, ['--input-type=module', '-e', program], { cwd: repositoryRoot, env })
          : await run('bash', ['-euc', program], { cwd: home, env })
      expect(answer.stdout).toContain('Hello from the model.')
    }
    expect(code.length).toBeGreaterThan(0)
  })

  test('the configuration says where the gateway is and what it serves', async () => {
    const { stdout } = await gateway.cli(['connect', 'claude-code', '--show', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({
      url: 'https://turnward.acme.example',
      mcp: null,
      model: 'claude-sonnet-5',
      start: 'claude --model claude-sonnet-5',
    })
  })
})
