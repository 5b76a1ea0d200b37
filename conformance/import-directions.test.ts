/** Rooms import downwards only, as ARCHITECTURE.md says; a file that breaks this is named. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, relative } from 'node:path'
import { expect, test } from 'vitest'

const source = join(import.meta.dirname, '../gateway/src')

/** Room -> rooms it may import. What only describes the configuration may be read by every room above `core`. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  policy: ['core'],
  wire: ['core'],
  http1: ['core'],
  config: ['core', 'policy', 'wire'],
  store: ['core'],
  state: ['core', 'policy', 'store'],
  cluster: ['core', 'store', 'state'],
  audit: ['core', 'store'],
  telemetry: ['core'],
  identity: ['core', 'store', 'state'],
  providers: ['core', 'wire'],
  models: ['core', 'policy', 'wire', 'http1', 'config', 'store', 'state', 'audit', 'telemetry', 'identity', 'providers'],
  tools: ['core', 'policy', 'wire', 'http1', 'config', 'store', 'state', 'audit', 'telemetry', 'identity', 'cluster'],
  turns: ['core', 'policy', 'wire', 'http1', 'config', 'store', 'state', 'audit', 'telemetry', 'identity', 'providers', 'models', 'tools'],
  admin: ['core', 'policy', 'wire', 'config', 'store', 'state', 'audit', 'telemetry', 'identity', 'models', 'tools', 'turns'],
}
const describesConfiguration: readonly string[] = ['config/snapshot.ts', 'config/public-url.ts']

interface Import {
  readonly file: string
  readonly target: string
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
}

function importsOf(path: string): Import[] {
  const file = relative(source, path)
  const text = readFileSync(path, 'utf8')
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '')
  return specifiers.map((specifier) => ({
    file,
    target: specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : specifier,
  }))
}

const files = filesBelow(source)
const imports = files.flatMap(importsOf)
const room = (path: string): string => path.split('/')[0] ?? ''
const isProduct = (path: string): boolean => !/\.(test|fixture)\.ts$/.test(path)

test('every room imports only rooms below it', () => {
  const wrong = imports.filter(({ file, target }) => {
    const from = room(file)
    const allowed = mayImport[from]
    if (allowed === undefined || !isProduct(file) || !/^[a-z]+\//.test(target) || mayImport[room(target)] === undefined) return false
    return from !== room(target) && !allowed.includes(room(target)) && !describesConfiguration.includes(target)
  })
  expect(wrong).toEqual([])
})

test('nothing imports the command line', () => {
  expect(imports.filter(({ file, target }) => room(file) !== 'cli' && target.startsWith('cli/'))).toEqual([])
})

test.each(['providers', 'wire/dialects'])('the folders of %s never import each other', (folder) => {
  const owner = (path: string): string | undefined => {
    const [first, ...rest] = path.startsWith(`${folder}/`) ? path.slice(folder.length + 1).split('/') : []
    return rest.length === 0 ? undefined : first
  }
  const wrong = imports.filter(({ file, target }) => {
    const [from, to] = [owner(file), owner(target)]
    return isProduct(file) && from !== undefined && to !== undefined && from !== to
  })
  expect(wrong).toEqual([])
})

test('every dialect has the same files', () => {
  const folder = join(source, 'wire/dialects')
  const dialects = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const needed = [
    'paths',
    'request',
    'views',
    'edit',
    'answer',
    'stream',
    'round',
    'usage',
    'errors',
    'guarded-fields',
    'settled-fields',
    'shown-texts',
  ]
  const both = ['request', 'messages', 'stream'].flatMap((what) => [`reading-${what}`, `writing-${what}`])
  const neededOfHub = ['hub', ...both, 'answers', 'tools', 'media', 'finish', 'usage']
  for (const { name } of dialects) {
    const files = readdirSync(join(folder, name))
    expect([name, files.filter((file) => /^[a-z-]+\.ts$/.test(file))]).toEqual([
      name,
      expect.arrayContaining([name, ...needed].map((file) => `${file}.ts`)),
    ])
    expect([name, readdirSync(join(folder, name, 'hub'))]).toEqual([name, expect.arrayContaining(neededOfHub.map((file) => `${file}.ts`))])
  }
})

/** Folder below `wire/` -> folders below it that it may import; the table of dialects and the lens they share are read by types. */
const insideWire: Readonly<Record<string, readonly string[]>> = {
  framing: [],
  request: [],
  gate: ['framing', 'request'],
  hub: [],
  embeddings: ['request'],
  dialects: ['framing', 'request', 'gate', 'hub'],
  converting: ['hub', 'dialects'],
  invoking: ['framing', 'request', 'dialects'],
}

test('inside wire, too, imports go downwards only', () => {
  const part = (path: string): string => path.split('/')[1] ?? ''
  const wrong = imports.filter(({ file, target }) => {
    const allowed = room(file) === 'wire' && isProduct(file) ? insideWire[part(file)] : undefined
    if (allowed === undefined || room(target) !== 'wire' || target.split('/').length < 3) return false
    return part(file) !== part(target) && !allowed.includes(part(target))
  })
  expect(wrong).toEqual([])
})

// A program of its own: it runs inside the sandbox, where the environment is what the runner made it.
const insideSandbox = 'tools/runners/egress-forwarder.ts'

test('only the command line reads the environment', () => {
  const own = (path: string): string => relative(source, path)
  const wrong = files.filter(
    (path) =>
      isProduct(path) && room(own(path)) !== 'cli' && own(path) !== insideSandbox && /process\.env\b/.test(readFileSync(path, 'utf8')),
  )
  expect(wrong.map((path) => relative(source, path))).toEqual([])
})

test('the official SDKs are clients in tests, never part of the gateway', () => {
  const sdks = ['openai', '@anthropic-ai/sdk', 'ai', '@modelcontextprotocol/client', '@modelcontextprotocol/server']
  expect(
    imports.filter(({ file, target }) => isProduct(file) && sdks.some((sdk) => target === sdk || target.startsWith(`${sdk}/`))),
  ).toEqual([])
})

test('no source file is longer than 400 lines', () => {
  const long = files.filter((path) => isProduct(path) && readFileSync(path, 'utf8').split('\n').length > 400)
  expect(long.map((path) => relative(source, path))).toEqual([])
})
