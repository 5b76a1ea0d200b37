/** `turnward import --from mcp-client`: a home full of clients, taken over without a secret copied, a file changed or a server lost. */
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { runCli, type CliResult } from '../harness/cli.ts'
import { repositoryRoot, startGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { startNpmRegistry, type NpmRegistry } from '../harness/npm-registry.ts'
import { until } from '../harness/until.ts'
import { modernRequest } from '../mcp/raw-rpc.ts'

const library = await readFile(join(repositoryRoot, 'conformance/fixtures/servers/stdio-server.mjs'), 'utf8')
const notebook = {
  name: 'mcp-notebook',
  bin: 'serve.mjs',
  files: {
    'stdio-server.mjs': library,
    'serve.mjs': `#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { serveTools } from './stdio-server.mjs'
serveTools({ read: { run: () => readFileSync(process.argv[2] + '/today.txt', 'utf8') } })
`,
  },
}

let registry: NpmRegistry
beforeAll(async () => {
  registry = await startNpmRegistry([
    { ...notebook, version: '1.2.3' },
    { ...notebook, version: '2.0.0' },
  ])
})
afterAll(() => registry?.[Symbol.asyncDispose]())

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnward-import-'))
  await files(home, { 'turnward.yaml': config })
  return () => rm(home, { recursive: true, force: true })
})

const config = `# Ours, and it stays so.
version: 1
listen: { port: 0 }   # any
principals: { ada: {} }
keys: { ada: { principal: ada, secret: "\${ADA_KEY:-tw_nobody_uses_this_one_0000}" } }
grants: [{ principals: [ada], tools: ["*"], gateways: ["*"] }]
policy: { posture: observe }
servers:
  # The first one.
  kept: { transport: http, url: "https://kept.example/mcp" }
gateways:
  main: { servers: [kept] } # for everybody
`

async function files(folder: string, texts: Readonly<Record<string, string | object>>): Promise<void> {
  for (const [path, text] of Object.entries(texts)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), typeof text === 'string' ? text : JSON.stringify(text))
  }
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  return runCli(args, { cwd: home, env: { PATH: process.env['PATH'] ?? '', HOME: home, ...registry.env, ...env } })
}

const importing = (...args: string[]): Promise<CliResult> => run(['import', '--from', 'mcp-client', ...args])
const documentOf = ({ stdout }: CliResult): Json => JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Json
const serverOf = (result: CliResult, name: string): Json =>
  documentOf(result)['servers'].find((server: Json) => server['server'] === name) as Json

/** A server of our own, as a person has it in a folder. */
async function localServer(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'stdio-server.mjs'), library)
  await writeFile(
    join(folder, 'server.mjs'),
    `import { serveTools } from './stdio-server.mjs'
serveTools({ greet: { run: () => \`\${process.env.GREETING} \${process.env.SHOP_TOKEN?.length}\` } })
`,
  )
}

const adaKey = 'tw_conformance_ada_0123456789abcdef'
const secrets = ['ghp_SECRET0123456789', 'SECRET-of-the-shop', 'SECRETpassword'] as const

describe('what several clients have', () => {
  test('is installed, tried in the sandbox, written with its comments kept, and listed by a running gateway', async () => {
    await using gateway = await startGateway({ config, env: { ...registry.env, ADA_KEY: adaKey, SHOP_TOKEN: secrets[1] } })
    home = gateway.dir
    await localServer(join(home, 'shop'))
    await files(home, { 'notes/today.txt': 'Buy milk.' })
    const notes = { command: 'npx', args: ['-y', 'mcp-notebook@1.2.3', join(home, 'notes')] }
    await files(home, {
      '.config/Claude/claude_desktop_config.json': { mcpServers: { notes, kept: { url: 'https://other.example/mcp' } } },
      '.cursor/mcp.json': `{ // mine
        "mcpServers": { "notes": ${JSON.stringify(notes)}, }
      }`,
      '.codex/config.toml': `[mcp_servers.shop]\ncommand = "node"\nargs = ["~/shop/server.mjs"]\nenv = { GREETING = "hello", SHOP_TOKEN = "${secrets[1]}" }\n`,
    })
    const before = await readFile(join(home, '.cursor/mcp.json'), 'utf8')

    const imported = await gateway.cli(['import', '--from', 'mcp-client', '--yes', '--json'])
    expect(imported.stderr).toBe('')
    expect(imported.code).toBe(0)
    expect(serverOf(imported, 'notes')).toMatchObject({
      written: true,
      package: 'npm:mcp-notebook@1.2.3',
      tools: ['read'],
      sources: [{ client: 'claude-desktop' }, { client: 'cursor' }],
    })
    expect(serverOf(imported, 'shop')).toMatchObject({ written: true, tools: ['greet'] })
    expect(serverOf(imported, 'kept')).toMatchObject({ written: false, becomes: { kind: 'left' } })
    expect(documentOf(imported)['point'].map(({ client }: Json) => client)).toEqual(['claude-desktop', 'cursor', 'codex'])

    const text = await readFile(join(home, 'turnward.yaml'), 'utf8')
    for (const comment of ['# Ours, and it stays so.', '# any', '# The first one.', '# for everybody']) expect(text).toContain(comment)
    expect(text).toContain('kept: { transport: http, url: "https://kept.example/mcp" }')
    expect(text).toContain('main: { servers: [kept, notes, shop] }')
    expect(text).not.toContain('SECRET')
    expect(await readFile(join(home, '.cursor/mcp.json'), 'utf8')).toBe(before)
    expect(await gateway.cli(['check'])).toMatchObject({ code: 0 })

    const target = { url: `${gateway.url}/mcp/main`, key: adaKey }
    await until('the tools of the imported servers', async () => {
      const { message } = await modernRequest(target, 'tools/list')
      const names = ((message['result']?.tools ?? []) as Json[]).map(({ name }) => name as string)
      return names.includes('notes__read') && names.includes('shop__greet') ? true : undefined
    })
    const call = async (name: string) =>
      (await modernRequest(target, 'tools/call', { name, arguments: {} })).message['result']?.content as unknown
    expect(await call('shop__greet')).toEqual([{ type: 'text', text: `hello ${secrets[1].length}` }])
    expect(await call('notes__read')).toEqual([{ type: 'text', text: 'Buy milk.' }])

    const again = await gateway.cli(['import', '--from', 'mcp-client', '--yes', '--json'])
    expect(documentOf(again)['servers'].map(({ becomes }: Json) => becomes.kind)).toEqual(['left', 'left', 'left'])
    expect(await readFile(join(home, 'turnward.yaml'), 'utf8')).toBe(text)
  })
})

describe('secrets', () => {
  const clients = {
    '.cursor/mcp.json': {
      mcpServers: {
        api: { url: 'http://127.0.0.1:9/mcp', headers: { Authorization: `Bearer ${secrets[0]}` } },
        shop: {
          command: 'node',
          args: ['shop/server.mjs', '--password', secrets[2]],
          cwd: '.',
          env: { GREETING: 'hello', SHOP_TOKEN: secrets[1] },
        },
      },
    },
  }

  test('become variables, are shown nowhere, and are written where somebody asked for them', async () => {
    await localServer(join(home, 'shop'))
    await files(home, clients)
    const imported = await importing('--yes', '--secrets-file', 'secrets.env')
    expect(imported.stdout + imported.stderr).not.toContain('SECRET')
    // Nothing answers at the address.
    expect(imported.code).toBe(5)
    const text = await readFile(join(home, 'turnward.yaml'), 'utf8')
    expect(text).not.toContain('SECRET')
    expect(text).toContain('Authorization: Bearer ${API_TOKEN}')
    expect(text).toContain('SHOP_TOKEN: ${SHOP_TOKEN}')
    expect(text).toContain('--password, "${SHOP_PASSWORD}"')
    expect(await readFile(join(home, 'secrets.env'), 'utf8')).toBe(
      `API_TOKEN='${secrets[0]}'\nSHOP_PASSWORD='${secrets[2]}'\nSHOP_TOKEN='${secrets[1]}'\n`,
    )
    expect((await stat(join(home, 'secrets.env'))).mode & 0o777).toBe(0o600)
    expect((await run(['check'])).code).toBe(3)
    const set = { API_TOKEN: secrets[0], SHOP_PASSWORD: secrets[2], SHOP_TOKEN: secrets[1] }
    expect(await run(['check'], set)).toMatchObject({ code: 0 })
  })

  test('a file that is there is not written over, and then nothing is done', async () => {
    await files(home, { ...clients, 'secrets.env': 'MINE=1\n' })
    const { code, stderr } = await importing('--yes', '--secrets-file', 'secrets.env')
    expect(code).toBe(1)
    expect(stderr).toContain('is there already')
    expect(await readFile(join(home, 'secrets.env'), 'utf8')).toBe('MINE=1\n')
    expect(await readFile(join(home, 'turnward.yaml'), 'utf8')).toBe(config)
  })

  test('a server that tells its secrets when it fails is not quoted', async () => {
    await files(home, {
      'bad.mjs': `import { createInterface } from 'node:readline'
const said = \`the token \${process.env.SHOP_TOKEN} is wrong\`
console.error(said)
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id } = JSON.parse(line)
  if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32603, message: said } }))
})
`,
      '.mcp.json': { mcpServers: { bad: { command: 'node', args: ['./bad.mjs'], env: { SHOP_TOKEN: secrets[1] } } } },
    })
    const failed = await importing('--yes', '--json')
    expect(failed.code).toBe(5)
    expect(failed.stdout + failed.stderr).not.toContain('SECRET')
    expect(serverOf(failed, 'bad')).toMatchObject({ written: false, findings: [expect.stringContaining('was not taken over')] })
    expect(await readFile(join(home, 'turnward.yaml'), 'utf8')).toBe(config)
  })
})

describe('nothing is done', () => {
  const npx = { mcpServers: { notes: { command: 'npx', args: ['-y', 'mcp-notebook@1.2.3', '--x'] } } }

  test.each([
    ['without somebody to ask', [], 5],
    ['with --dry-run', ['--dry-run'], 0],
  ])('%s', async (_how, options, code) => {
    await files(home, { '.mcp.json': npx })
    const shown = await importing(...options)
    expect(shown.code).toBe(code)
    expect(shown.stdout).toContain('npm:mcp-notebook@1.2.3')
    expect(shown.stdout).toContain('Nothing was changed.')
    expect(await readFile(join(home, 'turnward.yaml'), 'utf8')).toBe(config)
  })

  test('with a package that has no such version: nothing of it is left', async () => {
    await files(home, { '.mcp.json': { mcpServers: { notes: { command: 'npx', args: ['mcp-notebook@9.9.9'] } } } })
    const failed = await importing('--yes', '--json')
    expect(failed.code).toBe(5)
    expect(serverOf(failed, 'notes')).toMatchObject({
      written: false,
      findings: [expect.stringContaining('By hand: turnward servers add npm:mcp-notebook@9.9.9 --name notes')],
    })
    expect(await readdir(join(home, '.turnward/installed/notes')).catch(() => [])).toEqual([])
    expect(await readFile(join(home, 'turnward.yaml'), 'utf8')).toBe(config)
  })

  test('with a container whose image cannot be had', async () => {
    await files(home, { '.mcp.json': { mcpServers: { notes: { command: 'docker', args: ['run', '-i', 'localhost:9/nobody/notes:1'] } } } })
    const failed = await importing('--yes', '--json')
    expect(failed.code).toBe(5)
    expect(serverOf(failed, 'notes')).toMatchObject({ written: false, becomes: { kind: 'container', image: 'localhost:9/nobody/notes:1' } })
    const [finding] = serverOf(failed, 'notes')['findings'] as string[]
    expect(finding).toContain('was not taken over')
    // It is the engine that says no, not the configuration.
    expect(finding).not.toContain('turnward.yaml')
    expect(await readFile(join(home, 'turnward.yaml'), 'utf8')).toBe(config)
  })

  test('with --no-install for packages: each is a line that installs it', async () => {
    await files(home, { '.mcp.json': npx })
    const shown = await importing('--no-install', '--yes', '--network', 'notes=api.example.com')
    expect(shown.code).toBe(5)
    expect(shown.stdout).toContain(
      'turnward servers add npm:mcp-notebook@1.2.3 --name notes --network api.example.com --gateway main -- --x',
    )
    expect(await readFile(join(home, 'turnward.yaml'), 'utf8')).toBe(config)
  })

  test('where no client has servers', async () => {
    expect(await importing()).toMatchObject({ code: 0, stdout: expect.stringContaining('No file of a client was found') })
  })
})

test('a file that cannot be used costs only itself, and is told without quoting it', async () => {
  await localServer(join(home, 'shop'))
  await files(home, {
    '.cursor/mcp.json': '{ "mcpServers": { "a": { "env": { "TOKEN": "SECRET" ',
    '.vscode/mcp.json': { servers: [] },
    '.codeium/windsurf/mcp_config.json': ' '.repeat(10 * 1024 * 1024),
    '.gemini/settings.json': {
      mcpServers: { broken: 5, __proto__: {}, '\u001b[2J': { command: 'npx', args: ['-y', '--registry', 'https://evil.example', 'x'] } },
    },
    '.mcp.json': { mcpServers: { shop: { command: 'node', args: ['./shop/server.mjs'] } } },
  })
  const imported = await importing('--yes')
  expect(imported.code).toBe(5)
  expect(imported.stderr).toBe('')
  expect(imported.stdout).toMatch(/Cursor: ~\/\.cursor\/mcp\.json is not JSON at 1:\d+/)
  expect(imported.stdout).toContain('VS Code: ~/.vscode/mcp.json has no servers by name')
  expect(imported.stdout).toContain('Windsurf: ~/.codeium/windsurf/mcp_config.json is larger than')
  expect(imported.stdout).toContain('written:  shop')
  expect(imported.stdout).not.toMatch(/SECRET|\u001b/)
  expect(await readFile(join(home, 'turnward.yaml'), 'utf8')).toContain('shop:')
})

test.each([
  ['a file whose name tells nothing', ['any.json'], 1, /--client/],
  ['a client nobody knows', ['--client', 'emacs'], 1, /claude-desktop/],
  ['a gateway that is not there', ['--gateway', 'mian'], 1, /did you mean `main`/],
  ['hosts for nobody', ['--network', 'api.example.com'], 1, /SERVER=HOST/],
  ['no such source', [], 2, /mcp-client/],
])('wrong usage is told: %s', async (_what, args, code, told) => {
  const result = await run(['import', '--from', code === 2 ? 'elsewhere' : 'mcp-client', ...args])
  expect(result.code).toBe(code)
  expect(result.stderr).toMatch(told)
})

test('a file that is named is read for the client that is named', async () => {
  await files(home, { 'any.json': { mcpServers: { a: { url: 'https://a.example/mcp' } } } })
  const shown = await importing('any.json', '--client', 'gemini', '--dry-run', '--json')
  expect(serverOf(shown, 'a')).toMatchObject({ sources: [{ client: 'gemini' }], becomes: { why: expect.stringContaining('SSE') } })
})
