import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { givenValues } from './adding-to.ts'
import { planDocument } from './document-plan.ts'
import { readServerDocument } from './server-document.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnward-document-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function read(document: unknown) {
  const file = join(folder, 'server.json')
  await writeFile(file, typeof document === 'string' ? document : JSON.stringify(document))
  return readServerDocument(file)
}
const named = { name: 'io.github.acme/notes', description: 'Notes.', version: '1.0.0' }
const npm = { registryType: 'npm', identifier: '@acme/notes', version: '1.2.3', transport: { type: 'stdio' } }
const plan = async (more: object, set: readonly string[] = [], wantsRemote = false) =>
  planDocument(await read({ ...named, ...more }), givenValues(set), wantsRemote)
const planPackage = async (more: object, ...set: readonly string[]) => plan({ packages: [{ ...npm, ...more }] }, set)

describe('a package', () => {
  test('is one exact version, with its arguments in their order and its variables', async () => {
    const { becomes, variables, notes } = await planPackage(
      {
        fileSha256: 'a'.repeat(64),
        packageArguments: [
          { type: 'positional', value: 'serve' },
          { type: 'named', name: '--level', default: 'info' },
          { type: 'named', name: '--verbose', format: 'boolean', default: 'true' },
          { type: 'named', name: '--quiet', format: 'boolean', default: 'false' },
          { type: 'named', name: '--cache' },
          { type: 'positional', valueHint: 'directory', isRequired: true, isRepeated: true },
        ],
        environmentVariables: [
          { name: 'API_KEY', description: 'Key of the notes.', isRequired: true, isSecret: true },
          { name: 'REGION', default: 'eu' },
          { name: 'DEBUG' },
        ],
      },
      'directory=./a',
      'directory=./b',
    )
    expect(becomes).toEqual({
      kind: 'package',
      reference: { registry: 'npm', name: '@acme/notes', version: '1.2.3' },
      bin: undefined,
      runtime: [],
      args: ['serve', '--level', 'info', '--verbose', './a', './b'],
      env: { API_KEY: '${API_KEY}', REGION: 'eu' },
      fileSha256: 'a'.repeat(64),
    })
    expect([...variables]).toEqual([['API_KEY', 'Key of the notes.']])
    expect(notes).toEqual(['it also knows the variables DEBUG (`--set NAME=VALUE`)'])
  })

  test('cannot read the environment of the gateway by what its document says', async () => {
    const { becomes } = await planPackage({
      packageArguments: [{ type: 'positional', value: '${HOME}' }],
      environmentVariables: [
        { name: 'A', default: '${AWS_SECRET}' },
        { name: 'B', value: '${file:/etc/passwd}{c}', variables: { c: { default: '${C}' } } },
      ],
    })
    expect(becomes).toMatchObject({ args: ['$${HOME}'], env: { A: '$${AWS_SECRET}', B: '$${file:/etc/passwd}$${C}' } })
  })

  test('has a secret of a template in the environment, and never one that is written down', async () => {
    const secret = { name: 'AUTH', value: 'key {notes-key}', variables: { 'notes-key': { isSecret: true } } }
    const { becomes, variables } = await planPackage({ environmentVariables: [secret] }, 'notes-key=hunter2')
    expect(becomes).toMatchObject({ env: { AUTH: 'key ${NOTES_KEY}' } })
    expect([...variables.keys()]).toEqual(['NOTES_KEY'])
  })

  test('of another runner: its options are no arguments of the server, and what is left out is told', async () => {
    const argument = (value: string) => ({ type: 'positional', value })
    const npx = await planPackage({ runtimeHint: 'npx', runtimeArguments: [argument('-y'), argument('--registry=x')] })
    expect(npx.becomes).toMatchObject({ args: [], runtime: [], bin: undefined })
    expect(npx.notes).toEqual(['left out, because npx is not run here: --registry=x'])
    const uvx = { registryType: 'pypi', identifier: 'notes', version: '2.0', transport: { type: 'stdio' }, runtimeHint: 'uvx' }
    const from = [{ type: 'named', name: '--from', value: 'notes==2.0' }, argument('notes-server')]
    expect((await plan({ packages: [{ ...uvx, runtimeArguments: from }] })).becomes).toMatchObject({ bin: 'notes-server', args: [] })
    const node = await planPackage({ runtimeHint: 'node', runtimeArguments: [argument('--max-old-space-size=64')] })
    expect(node.becomes).toMatchObject({ runtime: ['--max-old-space-size=64'] })
  })

  test.each([
    [
      'a value that nobody has given',
      { packageArguments: [{ type: 'positional', valueHint: 'directory', isRequired: true }] },
      '--set directory=…',
    ],
    ['no exact version', { version: 'latest' }, 'no exact version'],
    ['a name that is an address', { identifier: 'https://x.example/a.tgz' }, 'names no package'],
  ])('with %s is refused', async (_what, more, why) => {
    await expect(planPackage(more)).rejects.toThrow(why)
  })
})

test('an address is used where there is no package to install, or where it is wanted', async () => {
  const remotes = [
    { type: 'sse', url: 'https://old.example/sse' },
    {
      type: 'streamable-http',
      url: 'https://{region}.example/mcp',
      variables: { region: { default: 'eu' } },
      headers: [
        { name: 'Authorization', value: 'Bearer {api_key}', variables: { api_key: { isSecret: true, description: 'From the console.' } } },
        { name: 'x-team' },
      ],
    },
  ]
  const entry = { transport: 'http', url: 'https://eu.example/mcp', headers: { Authorization: 'Bearer ${API_KEY}' } }
  const { becomes, variables } = await plan({ remotes })
  expect([becomes, [...variables]]).toEqual([{ kind: 'remote', entry }, [['API_KEY', 'From the console.']]])
  expect((await plan({ remotes, packages: [npm] })).becomes.kind).toBe('package')
  expect((await plan({ remotes, packages: [npm] }, ['region=us'], true)).becomes).toMatchObject({
    entry: { url: 'https://us.example/mcp' },
  })
})

test.each([
  [
    'an image',
    { packages: [{ ...npm, registryType: 'oci', identifier: 'acme/notes:1' }] },
    /it offers oci \(stdio\).*runner: docker.*acme\/notes:1/,
  ],
  ['an address of the older transport', { remotes: [{ type: 'sse', url: 'https://x.example' }] }, /it offers sse;/],
  [
    'a package that is no program over stdio',
    { packages: [{ ...npm, transport: { type: 'streamable-http' } }] },
    /npm \(streamable-http\)/,
  ],
  ['nothing', {}, /nothing to run/],
])('what is only %s is refused with what there is', async (_what, more, why) => {
  await expect(plan(more)).rejects.toThrow(why)
})

test('what is no registry document is refused, and what an API of a registry has around one does not matter', async () => {
  await expect(read('{')).rejects.toThrow('it is no JSON')
  await expect(read({ name: 'notes' })).rejects.toThrow('`name`')
  await expect(readServerDocument(join(folder, 'none.json'))).rejects.toThrow('there is no such file')
  expect((await read({ server: { ...named, packages: [npm] }, _meta: {} })).packages).toHaveLength(1)
})
