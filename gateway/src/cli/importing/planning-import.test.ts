/** What becomes of the servers of each client, as its documentation writes them. `vitest --update` renews the plans. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { clientIds, clients, isClientId } from './clients.ts'
import { declaredServers } from './declared-server.ts'
import { planImport, type PlanningQuestions } from './planning-import.ts'
import { parseClientFile } from './reading-client-file.ts'

const fixtures = join(import.meta.dirname, 'fixtures')

/** A machine with these files and programs. */
const files = new Map<string, 'folder' | 'file'>([
  ['/home/ada', 'folder'],
  ['/home/ada/Desktop', 'folder'],
  ['/home/ada/notes', 'folder'],
  ['/home/ada/server.js', 'file'],
  ['/home/ada/weather/.venv/bin/python', 'file'],
  ['/home/ada/shop/tools/db-server.js', 'file'],
  ['/home/ada/shop/config.json', 'file'],
  ['/home/ada/site/tools/db-server.js', 'file'],
  ['/home/ada/site/config.json', 'file'],
  ['/project/bin/server', 'file'],
  ['/project/docs', 'folder'],
  ['/project/mcp-server.py', 'file'],
  ['/tmp', 'folder'],
  ['/', 'folder'],
])

const questions: PlanningQuestions = {
  home: '/home/ada',
  env: { PATH: '/usr/bin', HOME: '/home/ada' },
  network: new Map([['github', ['api.github.com']]]),
  at: (path) => files.get(path),
  refused: (path) => (path === '/tmp' || path === '/' ? 'it would show the server far more than its own files' : undefined),
  inSandbox: (name) => (name === 'python3' ? '/usr/bin/python3' : undefined),
  onPath: (name) => (name === 'old-server' ? '/home/ada/.local/bin/old-server' : undefined),
}

const listen = { host: '127.0.0.1', port: 4100, hosts: [], ignore_credential_headers: [] }

function planOf(fixture: string) {
  const name = fixture.replace(/\.\w+$/, '')
  const client = [name, name.replace(/-[^-]+$/, '')].find(isClientId) ?? 'claude-desktop'
  const document = parseClientFile(readFileSync(join(fixtures, fixture), 'utf8'), fixture.endsWith('.toml') ? 'toml' : 'json')
  const project = /project|cursor|vscode/.test(fixture) ? '/project' : undefined
  const declared = declaredServers({ client, file: `/files/${fixture}`, project }, document)
  return planImport(declared, { servers: new Map(), settings: { listen } as never }, questions)
}

const clientFiles = readdirSync(fixtures).filter((name) => /\.(?:json|jsonc|toml)$/.test(name))

test.each(clientFiles)('%s becomes what its plan says', async (fixture) => {
  const { servers, variables } = planOf(fixture)
  const shown = {
    servers: servers.map(({ sources, becomes, ...rest }) => ({
      declared: sources.map(({ name, project }) => (project === undefined ? name : `${name} in ${project}`)),
      ...rest,
      becomes,
    })),
    variables: variables.map(({ value, ...rest }) => ({ ...rest, isInFile: value !== undefined })),
  }
  await expect(stringify(shown, { lineWidth: 0 })).toMatchFileSnapshot(join(fixtures, `${fixture}.plan.yaml`))
})

test.each(clientFiles)('no secret of %s is in its plan, and each is the value of a variable', (fixture) => {
  const text = readFileSync(join(fixtures, fixture), 'utf8')
  const secrets = text.match(/[\w.-]*SECRET[\w.-]*/g) ?? []
  const { servers, variables } = planOf(fixture)
  expect(JSON.stringify(servers)).not.toContain('SECRET')
  for (const secret of secrets) expect(variables.map(({ value }) => value).join('\n')).toContain(secret)
})

test('a secret is in no plan, wherever a client has it', () => {
  const secret = fc.stringMatching(/^[A-Za-z0-9]{8}S3cr3t[A-Za-z0-9]{8}$/)
  const name = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,10}$/)
  const places: readonly ((value: string, name: string) => object)[] = [
    (value, variable) => ({ command: 'npx', args: ['-y', 'server'], env: { [variable]: value } }),
    (value, variable) => ({ command: 'docker', args: ['run', '-i', '-e', variable, 'x/y:1'], env: { [variable]: value } }),
    (value, variable) => ({ command: 'docker', args: ['run', `-e${variable}=${value}`, 'x/y:1', '--token', value] }),
    (value, variable) => ({ command: 'env', args: [`${variable}=${value}`, 'node', '/home/ada/server.js'] }),
    (value) => ({ command: 'npx', args: ['-y', 'server', value] }),
    (value) => ({ command: 'npx', args: ['-y', 'server', '--token', value] }),
    (value) => ({ command: 'npx', args: ['-y', 'server', `--api-key=${value}`] }),
    (value) => ({ command: 'npx', args: ['-y', 'server', `mongodb://ada:${value}@db.example/books`] }),
    (value) => ({ command: 'npx', args: ['-y', 'server', `--url=https://api.example/${value}/x`] }),
    (value) => ({ command: 'npx', args: ['-y', 'server', '--header', `X-Key: ${value}`] }),
    (value) => ({ command: 'npx', args: ['-y', 'mcp-remote', 'https://a.example/mcp', '--header', `Authorization: Bearer ${value}`] }),
    (value) => ({ command: 'npx', args: ['-y', 'mcp-remote', `https://a.example/mcp?key=${value}`] }),
    (value) => ({ url: 'https://a.example/mcp', headers: { Authorization: `Bearer ${value}` } }),
    (value) => ({ url: 'https://a.example/mcp', headers: { 'X-Thing': value } }),
    (value) => ({ url: `https://a.example/${value}/mcp` }),
    (value) => ({ url: `https://ada:${value}@a.example/mcp` }),
    (value) => ({ url: `https://\${HOST}/mcp?key=${value}` }),
    (value, variable) => ({ command: 'node', args: ['/home/ada/server.js', `\${${variable}}`, `\${A:-${value}}`] }),
  ]
  fc.assert(
    fc.property(fc.constantFrom(...clientIds), fc.constantFrom(...places), secret, name, (client, place, value, variable) => {
      const server = place(value, variable)
      const { servers } = clients[client]
      const document = (servers[0] ?? '')
        .replace('*', 'p')
        .split('.')
        .reduceRight<object>((inner, key) => ({ [key]: inner }), { mine: server })
      const declared = declaredServers({ client, file: '/f', project: undefined }, document)
      const plan = planImport(declared, { servers: new Map(), settings: { listen } as never }, questions)
      expect(plan.servers).toHaveLength(1)
      expect(JSON.stringify(plan.servers)).not.toContain(value)
      expect(JSON.stringify(plan.variables.map(({ name: called, about, servers: whose }) => [called, about, whose]))).not.toContain(value)
    }),
    { numRuns: 400 },
  )
})

test('whatever a client has as a server is planned or told, and costs no other one', () => {
  const word = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom('npx', 'uvx', '-y', '--', '${', '${env:', 'node', './x', '/home/ada', 'a@', '@a/b', 'uv', 'run', '$$', '{env:A}'),
  )
  const anything = fc.oneof(
    word,
    fc.array(word, { maxLength: 4 }),
    fc.dictionary(word, word, { maxKeys: 3 }),
    fc.jsonValue({ maxDepth: 2 }),
  )
  const keys = [
    'command',
    'args',
    'env',
    'url',
    'httpUrl',
    'serverUrl',
    'headers',
    'type',
    'cwd',
    'envFile',
    'disabled',
    'tools',
    'env_vars',
    'bearer_token_env_var',
  ]
  const server = fc.record(Object.fromEntries(keys.map((key) => [key, anything])), { requiredKeys: [] })
  fc.assert(
    fc.property(fc.constantFrom(...clientIds), fc.dictionary(word, fc.oneof(server, anything), { maxKeys: 3 }), (client, servers) => {
      const whole = { ...servers, 'still there': { url: 'https://there.example/mcp', type: 'http' } }
      const path = clients[client].servers.at(-1)?.replace('*', 'p').split('.') ?? []
      const document = path.reduceRight<object>((inner, key) => ({ [key]: inner }), whole)
      const declared = declaredServers({ client, file: '/f', project: '/project' }, document)
      const plan = planImport(declared, { servers: new Map(), settings: { listen } as never }, questions)
      const told = plan.servers.flatMap(({ sources }) => sources.map(({ name }) => name))
      expect(told.toSorted()).toEqual(Object.keys(whole).toSorted())
      expect(plan.servers.find(({ sources }) => sources.some(({ name }) => name === 'still there'))?.becomes.kind).toBe('address')
      for (const { becomes, findings } of plan.servers)
        if (becomes.kind === 'left' && findings.length === 0) expect(becomes.why).toMatch(/switched off|is this gateway/)
    }),
    { numRuns: 400 },
  )
})
