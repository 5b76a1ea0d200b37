/** Servers of every kind as they are usually installed, without a mount made by hand; and homes that are kept. Real ones, in real sandboxes. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createBubblewrapRunner } from './bubblewrap.ts'
import { interpretedCommand } from './interpreted-command.ts'
import { freshFolder, recordingLogger, removeFolders, runProgram, stdioServer } from './sandbox.fixture.ts'

afterAll(removeFolders)

const runner = createBubblewrapRunner({ nodePath: process.execPath })
const missing = await runner.available()
const python = '/usr/bin/python3'
const hasPython = existsSync(python)

/** Makes these files, programs where their first line says so; everybody may read them. */
function made(files: Readonly<Record<string, string>>): string {
  const folder = freshFolder()
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text, { mode: text.startsWith('#!') ? 0o755 : 0o644 })
  }
  execFileSync('chmod', ['-R', 'a+rX', folder])
  return folder
}

const said = async (command: readonly string[], more: Record<string, unknown> = {}): Promise<string> => {
  const { out, err } = await runProgram(runner, command, more)
  return err === '' ? out.trim() : err
}

const nodePackage = {
  'node_modules/greeter/index.mjs': `#!/usr/bin/env node\nimport { word } from './lib/word.mjs'\nimport { name } from 'named'\nconsole.log(word, name, process.argv[2])`,
  'node_modules/greeter/lib/word.mjs': `export const word = 'hello'`,
  'node_modules/named/package.json': '{"name":"named","type":"module","exports":"./index.js"}',
  'node_modules/named/index.js': `export const name = 'world'`,
}

describe.skipIf(missing !== undefined)('a server in JavaScript', () => {
  test('is started by the link its package manager made, with the packages around it', async () => {
    const folder = made(nodePackage)
    mkdirSync(join(folder, 'node_modules', '.bin'))
    symlinkSync('../greeter/index.mjs', join(folder, 'node_modules', '.bin', 'greet'))
    expect(await said([join(folder, 'node_modules', '.bin', 'greet'), 'now'])).toBe('hello world now')
  })

  test('that is no program is started by Node when its runtime says so', async () => {
    const folder = made({ 'server.mjs': `import { word } from './word.mjs'\nconsole.log(word)`, 'word.mjs': `export const word = 'hello'` })
    expect(await said([join(folder, 'server.mjs')], { runtime: 'node' })).toBe('hello')
  })

  test('is not told apart from a binary where it is called one', async () => {
    const folder = made(nodePackage)
    expect(await said([join(folder, 'node_modules/greeter/index.mjs')], { runtime: 'binary' })).toContain('ERR_MODULE_NOT_FOUND')
  })
})

describe.skipIf(missing !== undefined || !hasPython)('a server in Python', () => {
  /** An environment as `uv sync` makes it: the project itself is not copied, but named by its place. */
  const project = (pathFile: (folder: string) => Readonly<Record<string, string>>): string => {
    const folder = made({
      'src/greeting/__init__.py': "print('hello')\n",
      'src/greeting/__main__.py': '',
      '.env': 'SECRET=1',
      'src/.env': 'SECRET=1',
    })
    execFileSync(python, ['-m', 'venv', '--without-pip', join(folder, '.venv')])
    const packages = execFileSync(join(folder, '.venv/bin/python'), ['-c', "import sysconfig; print(sysconfig.get_path('purelib'))"], {
      encoding: 'utf8',
    })
    for (const [name, text] of Object.entries(pathFile(folder))) writeFileSync(join(packages.trim(), name), text)
    execFileSync('chmod', ['-R', 'a+rX', folder])
    return folder
  }

  test.each([
    ['a path file', (folder: string) => ({ '_greeting.pth': `${folder}/src\n` })],
    [
      'a finder of setuptools',
      (folder: string) => ({
        '__editable__.greeting.pth': 'import __editable___greeting_finder; __editable___greeting_finder.install()\n',
        '__editable___greeting_finder.py': `MAPPING: dict[str, str] = {'greeting': '${folder}/src/greeting'}\ndef install():\n    import sys\n    for name, path in MAPPING.items(): sys.path.append(path.rsplit('/', 1)[0])\n`,
      }),
    ],
  ])('that is installed where it is developed is found by %s, without its dot files', async (_how, pathFile) => {
    const folder = project(pathFile)
    const interpreter = join(folder, '.venv/bin/python')
    expect(await said([interpreter, '-m', 'greeting'])).toBe('hello')
    const look = `import os; print([name for folder in ('${folder}', '${folder}/src') if os.path.isdir(folder) for name in os.listdir(folder) if name.startswith('.') and name != '.venv'])`
    expect(await said([interpreter, '-c', look])).toBe('[]')
  })

  test('with a first line for the Python of an environment elsewhere gets that environment, and its own siblings', async () => {
    const environment = project((folder) => ({ '_greeting.pth': `${folder}/src\n` }))
    const folder = made({ 'serve.py': `#!${environment}/.venv/bin/python\nimport greeting, sibling\n`, 'sibling.py': "print('and me')\n" })
    expect(await said([join(folder, 'serve.py')])).toBe('hello\nand me')
  })

  test('that is no program is started by Python when its runtime says so', async () => {
    const folder = made({ 'serve.py': 'import sibling\n', 'sibling.py': "print('hello')\n" })
    expect(await said([join(folder, 'serve.py')], { runtime: 'python' })).toBe('hello')
  })
})

test('a script that only looks for the Python to run is refused, with how to find it', () => {
  const folder = made({ 'shims/python3': '#!/usr/bin/env bash\nexec pyenv exec python3 "$@"\n' })
  expect(() => interpretedCommand('probe', [join(folder, 'shims/python3'), '-m', 'server'], undefined)).toThrow(
    expect.objectContaining({ code: 'mcp.server_unavailable', fix: expect.stringContaining('pyenv which python3') }),
  )
})

describe.skipIf(missing !== undefined)('a server that starts a browser', () => {
  /** What the sandbox of a browser does first, and what nobody may do there. */
  const python3 = (calls: string): string[] => [
    python,
    '-c',
    `import ctypes, errno, os\nlibrary = ctypes.CDLL(None, use_errno=True)\ndef attempt(name, *args):\n    return 'done' if getattr(library, name)(*args) == 0 else errno.errorcode[ctypes.get_errno()]\n${calls}`,
  ]
  const nest = python3(`
user = os.getuid()
print(attempt('unshare', 0x10000000))
open('/proc/self/setgroups', 'w').write('deny'); open('/proc/self/uid_map', 'w').write(f'{user} {user} 1')
print(attempt('unshare', 0x20000000 | 0x40000000), attempt('chroot', b'/tmp'), attempt('mount', b'none', b'/', b'tmpfs', 0, 0))`)

  test.skipIf(!hasPython)('leaves it its own smaller sandbox, in which nothing is mounted', async () => {
    expect(await said(nest, { runtime: 'browser' })).toBe('done\ndone done EPERM')
    expect(await said(python3(`print(attempt('unshare', 0x10000000))`))).toBe('EPERM')
  })

  test('has the processes and the shared memory of one', async () => {
    const code = 'const fs = require("fs"); const s = fs.statfsSync("/dev/shm"); console.log(s.blocks * s.bsize)'
    expect(Number(await said(['node', '-e', code], { runtime: 'browser' }))).toBe(512 * 1024 * 1024)
    const line = runner
      .describe({
        server: stdioServer(['node', '-e', '0'], { runtime: 'browser', limits: { processes: 64 } }),
        workDir: '/nowhere/work',
        logger: recordingLogger().logger,
      })
      .join(' ')
    if (process.getuid?.() === 0) expect(line).toContain('--nproc=513:513')
  })
})

describe.skipIf(missing !== undefined)('a home', () => {
  const count = `const fs = require('fs'); const path = process.env.HOME + '/runs'; fs.appendFileSync(path, 'x'); console.log(fs.readFileSync(path, 'utf8').length)`
  const run = async (folder: string, more: Record<string, unknown>): Promise<string> => {
    const { logger } = recordingLogger()
    const server = stdioServer(['node', '-e', count], more)
    const running = await runner.start({ server, workDir: join(folder, 'work'), logger })
    let out = ''
    running.stderr.on('data', (chunk: Buffer) => (out += String(chunk)))
    for await (const chunk of running.stdout) out += String(chunk)
    await running.ended
    return out.trim()
  }

  test('is empty at every start, unless it is kept', async () => {
    const folder = freshFolder()
    expect([await run(folder, {}), await run(folder, {})]).toEqual(['1', '1'])
    expect([await run(folder, { home: 'keep' }), await run(folder, { home: 'keep' }), await run(folder, { home: 'keep' })]).toEqual([
      '1',
      '2',
      '3',
    ])
    expect(readdirSync(join(folder, 'homes', 'probe'))).toEqual(['runs'])
    expect(statSync(join(folder, 'homes')).mode & 0o777).toBe(0o700)
  })

  test.skipIf(process.getuid?.() !== 0)('that is kept belongs to an id no other home belongs to', async () => {
    const folder = freshFolder()
    mkdirSync(join(folder, 'homes', 'other'), { recursive: true })
    execFileSync('chown', ['61184:61184', join(folder, 'homes', 'other')])
    await run(folder, { home: 'keep' })
    expect(statSync(join(folder, 'homes', 'probe')).uid).toBe(61_185)
  })

  test.skipIf(process.getuid?.() !== 0)('that belongs to somebody else than the server has become is told, with what to do', async () => {
    const folder = freshFolder()
    await run(folder, { home: 'keep' })
    const written = freshFolder()
    execFileSync('chown', ['4321:4321', written])
    await expect(run(folder, { home: 'keep', mounts: [{ path: written, write: true }] })).rejects.toMatchObject({
      code: 'sandbox.unavailable',
      fix: expect.stringContaining('chown -R 4321 '),
    })
  })
})
