/** What a sandboxed server finds around its own script. Every test asks a real one. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createBubblewrapRunner } from './bubblewrap.ts'
import { shownOf } from './code-folder.ts'
import { freshFolder, recordingLogger, removeFolders, stdioServer } from './sandbox.fixture.ts'

afterAll(removeFolders)

const missing = await createBubblewrapRunner({ nodePath: process.execPath }).available()
if (missing !== undefined) console.warn(`sandbox tests are skipped: ${missing}`)

/** Makes these files; every folder is open to the user the server becomes. */
function project(files: Readonly<Record<string, string>>): string {
  const folder = freshFolder()
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text, { mode: 0o644 })
  }
  execFileSync('chmod', ['-R', 'a+rX', folder])
  return folder
}

/** Runs the script in a sandbox and reads the JSON it prints. */
async function run(folder: string, script: string, protect: readonly string[] = []): Promise<unknown> {
  const runner = createBubblewrapRunner({ nodePath: process.execPath, protect })
  const { logger } = recordingLogger()
  const running = await runner.start({ server: stdioServer(['node', join(folder, script)]), workDir: join(freshFolder(), 'work'), logger })
  let out = ''
  let err = ''
  running.stderr.on('data', (chunk: Buffer) => (err += String(chunk)))
  for await (const chunk of running.stdout) out += String(chunk)
  await running.ended
  if (out === '') throw new Error(err)
  return JSON.parse(out)
}

const look = `
import { readdirSync } from 'node:fs'
const files = []
const walk = (folder) => { for (const entry of readdirSync(folder, { withFileTypes: true })) entry.isDirectory() ? walk(folder + '/' + entry.name) : files.push((folder + '/' + entry.name).slice(import.meta.dirname.length + 1)) }
walk(import.meta.dirname)
`

describe.skipIf(missing !== undefined)('a server in a folder of its own', () => {
  const files = {
    'server.mjs': `import { word } from './lib/word.mjs'\nimport { named } from 'named'\n${look}\nconsole.log(JSON.stringify({ word, named, files: files.sort() }))`,
    'lib/word.mjs': `export const word = 'from a sibling'`,
    'lib/.env.local': 'SECRET=1',
    'lib/deep/data.json': '{}',
    '.env': 'SECRET=1',
    '.git/config': 'secret',
    'tls/server.key': 'secret',
    'tls/ca.crt': 'public',
    'node_modules/named/package.json': '{"name":"named","type":"module","exports":"./index.js"}',
    'node_modules/named/index.js': `export const named = 'from a package'`,
  }

  test('reads its siblings and its packages, and no dot file or key at any depth', async () => {
    const folder = project(files)
    expect(await run(folder, 'server.mjs')).toEqual({
      word: 'from a sibling',
      named: 'from a package',
      files: [
        'lib/deep/data.json',
        'lib/word.mjs',
        'node_modules/named/index.js',
        'node_modules/named/package.json',
        'server.mjs',
        'tls/ca.crt',
      ],
    })
  })

  test('does not see a dot file that is made or replaced while it runs', async () => {
    const folder = project({
      ...files,
      'server.mjs': `${look}\nimport { createInterface } from 'node:readline'\nconsole.log('up')\ncreateInterface({ input: process.stdin }).once('line', () => { files.length = 0; walk(import.meta.dirname); console.log(JSON.stringify(files.filter((name) => /(^|\\/)\\./.test(name)))); process.exit() })`,
    })
    const runner = createBubblewrapRunner({ nodePath: process.execPath })
    const running = await runner.start({
      server: stdioServer(['node', join(folder, 'server.mjs')]),
      workDir: join(freshFolder(), 'work'),
      logger: recordingLogger().logger,
    })
    let out = ''
    for await (const chunk of running.stdout) {
      out += String(chunk)
      if (out !== 'up\n') continue
      writeFileSync(join(folder, 'new'), 'SECRET=2')
      renameSync(join(folder, 'new'), join(folder, '.env'))
      writeFileSync(join(folder, '.npmrc'), 'token')
      running.stdin.write('look\n')
    }
    expect(out).toBe('up\n[]\n')
  })

  test('a link is not followed out of the folder', async () => {
    const folder = project({
      'server.mjs': `import { readFileSync } from 'node:fs'\nconst read = (name) => { try { return readFileSync(import.meta.dirname + name, 'utf8') } catch (error) { return error.code } }\nconsole.log(JSON.stringify([read('/outside'), read('/inside')]))`,
      'word.txt': 'a word',
    })
    const elsewhere = project({ secret: 'secret' })
    symlinkSync(join(elsewhere, 'secret'), join(folder, 'outside'))
    symlinkSync('word.txt', join(folder, 'inside'))
    expect(await run(folder, 'server.mjs')).toEqual(['ENOENT', 'a word'])
  })
})

describe.skipIf(missing !== undefined)('a server beside the configuration', () => {
  test('sees its script, the manifest and installed packages, and nothing else', async () => {
    const folder = project({
      'server.mjs': `import { named } from 'named'\n${look}\nconsole.log(JSON.stringify({ named, files: files.filter((name) => !name.startsWith('node_modules')).sort() }))`,
      'turnward.yaml': 'secret',
      '.env': 'SECRET=1',
      '.turnward/turnward.db': 'keys',
      'customers.csv': 'alice',
      'package.json': '{}',
      'node_modules/named/package.json': '{"name":"named","type":"module","exports":"./index.js"}',
      'node_modules/named/index.js': `export const named = 'from a package'`,
    })
    chmodSync(join(folder, '.turnward'), 0o700)
    expect(await run(folder, 'server.mjs', [join(folder, '.turnward'), join(folder, 'turnward.yaml')])).toEqual({
      named: 'from a package',
      files: ['package.json', 'server.mjs'],
    })
  })

  test('an installed server sees the packages around it only', async () => {
    const folder = project({
      'turnward.yaml': 'secret',
      '.env': 'SECRET=1',
      'node_modules/@scope/server/dist/index.js': `import { named } from 'named'\nimport { readdirSync } from 'node:fs'\nconsole.log(JSON.stringify({ named, beside: readdirSync(import.meta.dirname + '/../../../..') }))`,
      'node_modules/@scope/server/package.json': '{"type":"module"}',
      'node_modules/named/package.json': '{"name":"named","type":"module","exports":"./index.js"}',
      'node_modules/named/index.js': `export const named = 'from a package'`,
    })
    expect(await run(folder, 'node_modules/@scope/server/dist/index.js', [join(folder, 'turnward.yaml')])).toEqual({
      named: 'from a package',
      beside: ['node_modules'],
    })
  })
})

test('a folder with more than can be shown file by file is refused, with what to do', () => {
  const folder = freshFolder()
  for (let index = 0; index <= 1000; index += 1) writeFileSync(join(folder, `f${index}`), '')
  expect(() => shownOf('s', folder, () => false)).toThrow(
    expect.objectContaining({ code: 'config.invalid', fix: 'Put the server into a folder of its own.' }),
  )
})
