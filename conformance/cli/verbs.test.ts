/** Every verb of the command line where no gateway runs: help, wrong usage, and the configuration file. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { runCli, type CliResult } from '../harness/cli.ts'
import type { Json } from '../harness/json.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnward-verbs-'))
  return () => rm(home, { recursive: true, force: true })
})

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  return runCli(args, { cwd: home, env: { PATH: process.env['PATH'] ?? '', HOME: home, ...env } })
}

/** The code of an error printed with `--json`. */
function errorOf({ stderr }: CliResult): Json {
  return (JSON.parse(stderr) as Json)['error'] as Json
}

const verbs = [
  'start',
  'demo',
  'init',
  'check',
  'schema',
  'config export',
  'config diff',
  'config check',
  'config apply',
  'config history',
  'config show',
  'config rollback',
  'limits show',
  'keys create',
  'keys list',
  'keys show',
  'keys rotate',
  'keys revoke',
  'access explain',
  'servers add',
  'servers list',
  'servers show',
  'servers update',
  'servers restart',
  'servers logs',
  'servers remove',
  'import',
  'tools list',
  'tools call',
  'approvals list',
  'approvals show',
  'approvals approve',
  'approvals deny',
  'policy show',
  'policy suggest',
  'policy readiness',
  'stop tool',
  'stop session',
  'stop list',
  'stop lift',
  'turns list',
  'turns tail',
  'turns show',
  'turns recount',
  'usage',
  'audit verify',
  'version',
]

describe('help', () => {
  test('names every verb, and says what exit codes mean', async () => {
    const { code, stdout } = await run(['--help'])
    expect(code).toBe(0)
    for (const verb of new Set(verbs.map((name) => name.split(' ')[0] ?? ''))) expect(stdout).toMatch(new RegExp(`^  ${verb}\\b`, 'm'))
    expect(stdout).toContain('Exit codes: 0 ok')
  })

  test.each(verbs)('`%s --help` has an example that names the verb', async (verb) => {
    const { code, stdout } = await run([...verb.split(' '), '--help'])
    expect(code).toBe(0)
    expect(stdout).toMatch(new RegExp(`Example:\\n  \\$ .*turnward ${verb}`))
    expect(stdout).toContain('--json')
  })

  test('`--version` and `version` agree', async () => {
    const plain = await run(['--version'])
    const json = await run(['version', '--json'])
    expect(plain.code).toBe(0)
    expect(JSON.parse(json.stdout)).toEqual({ version: plain.stdout.trim(), node: expect.stringMatching(/^\d+\./) })
    expect((await run(['version'])).stdout).toMatch(/^turnward \d+\.\d+\.\d+/)
  })
})

test.each([
  ['no such verb', ['fly']],
  ['no such option', ['check', '--colour']],
  ['an argument is missing', ['turns', 'show']],
  ['a required option is missing', ['keys', 'create']],
  ['an option without its value', ['check', '--config']],
  ['too many arguments', ['keys', 'revoke', 'a', 'b']],
])('wrong usage ends with 2 and says what is wrong: %s', async (_what, args) => {
  const { code, stdout, stderr } = await run(args)
  expect(code).toBe(2)
  expect(stdout).toBe('')
  expect(stderr).toContain('error:')
})

test('`schema` prints a JSON Schema that knows the parts of the configuration', async () => {
  const { code, stdout } = await run(['schema'])
  expect(code).toBe(0)
  const schema = JSON.parse(stdout) as Json
  expect(schema).toMatchObject({ type: 'object', additionalProperties: false })
  expect(Object.keys(schema['properties'] as Json)).toEqual(
    expect.arrayContaining(['listen', 'servers', 'gateways', 'contracts', 'rules', 'policy', 'turns']),
  )
})

describe('`init` and `check`', () => {
  test('what `init` writes passes `check`, and its key is for its owner only', async () => {
    expect(await run(['init'])).toMatchObject({ code: 0 })
    const key = join(home, '.turnward/dev.key')
    expect((await readFile(key, 'utf8')).trim()).toMatch(/^tw_[A-Za-z0-9_-]{20,}$/)
    expect((await stat(key)).mode & 0o777).toBe(0o600)
    expect(await readFile(join(home, 'turnward.yaml'), 'utf8')).not.toContain((await readFile(key, 'utf8')).trim())
    const checked = await run(['check', '--json'])
    expect(checked).toMatchObject({ code: 0 })
    expect(JSON.parse(checked.stdout)).toMatchObject({ ok: true, gateways: 1, keys: 1, revision: expect.any(String) })
    expect((await run(['check'])).stdout).toMatch(/^ok: revision/)
  })

  test('`init` overwrites nothing unless told to, and never a key', async () => {
    await run(['init'])
    const key = await readFile(join(home, '.turnward/dev.key'), 'utf8')
    await writeFile(join(home, 'turnward.yaml'), '# mine\n')
    expect((await run(['init'])).code).toBe(1)
    expect(await readFile(join(home, 'turnward.yaml'), 'utf8')).toBe('# mine\n')
    expect((await run(['init', '--force'])).code).toBe(0)
    expect(await readFile(join(home, 'turnward.yaml'), 'utf8')).toContain('version: 1')
    expect(await readFile(join(home, '.turnward/dev.key'), 'utf8')).toBe(key)
  })

  test.each([
    ['an unknown key, with a suggestion', 'version: 1\nlisten:\n  prot: 4100\n', 3, /turnward\.yaml:3:3.*port/s],
    ['a wrong type', 'version: 1\nlisten:\n  port: many\n', 3, /turnward\.yaml:3:9/],
    ['broken YAML', 'version: 1\nlisten: {port: 1\n', 3, /turnward\.yaml:\d+:\d+/],
    [
      'a variable that is not set',
      'version: 1\ncredentials:\n  a: { secret: "${NOT_SET_ANYWHERE}" }\n',
      3,
      /turnward\.yaml:3:\d+.*NOT_SET_ANYWHERE/s,
    ],
    ['a reference to nothing', 'version: 1\ngateways:\n  main: { servers: [nobody] }\n', 3, /turnward\.yaml:3:\d+.*nobody/s],
    ['a part of a later release', 'version: 1\nbudgets: {}\n', 3, /turnward\.yaml:2:\d+.*not available/s],
    [
      'a server without a sandbox nobody asked for',
      'version: 1\nservers:\n  a: { transport: stdio, command: [node, a.mjs], runner: process }\n',
      3,
      /turnward\.yaml:3:\d+.*unsafe_no_sandbox/s,
    ],
    [
      'a condition that does not parse',
      'version: 1\nrules:\n  - { name: a, when: "principal ==", verdict: deny, reason: b }\n',
      3,
      /turnward\.yaml:3:\d+/,
    ],
  ])('a mistake ends with 3 and names file, line and column: %s', async (_what, text, code, told) => {
    await writeFile(join(home, 'turnward.yaml'), text)
    const plain = await run(['check'])
    expect(plain.code).toBe(code)
    expect(plain.stdout).toBe('')
    expect(plain.stderr).toMatch(told)
    const started = await run(['start'])
    expect(started.code).toBe(code)
    expect(started.stderr).toMatch(told)
    const json = await run(['check', '--json'])
    expect(json.code).toBe(code)
    expect(String(errorOf(json)['code'])).toMatch(/^config\./)
  })

  test('a file that is not there ends with 3 and its name', async () => {
    const { code, stderr } = await run(['check', '--config', 'elsewhere.yaml'])
    expect(code).toBe(3)
    expect(stderr).toContain('elsewhere.yaml')
  })

  test('no secret is printed with a mistake next to it', async () => {
    const secret = 'tw_very_private_key_0000000001'
    await writeFile(
      join(home, 'turnward.yaml'),
      `version: 1\nprincipals: { a: {} }\nkeys:\n  a: { principal: a, secret: "\${KEY}", colour: red }\n`,
    )
    const { code, stderr } = await run(['check'], { KEY: secret })
    expect(code).toBe(3)
    expect(stderr).not.toContain(secret)
  })
})
