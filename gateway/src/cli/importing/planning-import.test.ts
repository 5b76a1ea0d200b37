/** What becomes of the servers of each client, as its documentation writes them. `vitest --update` renews the plans. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { isClientId } from './clients.ts'
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
