/** Servers written in Python, started from environments as `venv`, `uv` and `pipx` make them. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { silentLogger } from '../../core/logger.ts'
import { createBubblewrapRunner } from './bubblewrap.ts'
import { pythonProgram } from './python-environment.ts'
import { freshFolder, removeFolders, stdioServer } from './sandbox.fixture.ts'

afterAll(removeFolders)

/** An installation of Python and an environment made from it, as far as their shape goes. */
function made(): { readonly base: string; readonly environment: string } {
  const folder = freshFolder()
  const base = join(folder, 'pythons', 'cpython-3.12.7')
  mkdirSync(join(base, 'bin'), { recursive: true })
  mkdirSync(join(base, 'lib', 'python3.12'), { recursive: true })
  writeFileSync(join(base, 'lib', 'python3.12', 'os.py'), '')
  writeFileSync(join(base, 'bin', 'python3.12'), '')
  symlinkSync('cpython-3.12.7', join(folder, 'pythons', 'cpython-3.12'))
  const environment = join(folder, 'venv')
  mkdirSync(join(environment, 'bin'), { recursive: true })
  symlinkSync('python3', join(environment, 'bin', 'python'))
  writeFileSync(join(environment, 'bin', 'serve'), '')
  return { base, environment }
}

describe('what a program of an environment needs', () => {
  test('is the environment, and the installation its settings and its links lead to, links included', () => {
    const { base, environment } = made()
    const named = join(base, '..', 'cpython-3.12')
    writeFileSync(join(environment, 'pyvenv.cfg'), `home = ${named}/bin\n`)
    symlinkSync(join(named, 'bin', 'python3.12'), join(environment, 'bin', 'python3'))
    const folders = [environment, named, base]
    expect(pythonProgram(join(environment, 'bin', 'python'))).toEqual({
      executable: join(environment, 'bin', 'python'),
      folders,
      sources: [],
    })
    expect(pythonProgram(join(environment, 'bin', 'serve'))).toEqual({
      executable: join(environment, 'bin', 'serve'),
      folders,
      sources: [],
    })
  })

  test('is never the whole folder that a link to the interpreter lies in', () => {
    const { base, environment } = made()
    const local = join(freshFolder(), 'local')
    mkdirSync(join(local, 'bin'), { recursive: true })
    mkdirSync(join(local, 'lib', 'python3.12', 'site-packages'), { recursive: true })
    symlinkSync(join(base, 'bin', 'python3.12'), join(local, 'bin', 'python3'))
    writeFileSync(join(environment, 'pyvenv.cfg'), `home = ${local}/bin\n`)
    symlinkSync(join(local, 'bin', 'python3'), join(environment, 'bin', 'python3'))
    expect(pythonProgram(join(environment, 'bin', 'python'))?.folders).toEqual([environment, join(local, 'bin', 'python3'), base])
  })

  test('is found through a link to a console script, and not at all where there is no environment', () => {
    const { base, environment } = made()
    writeFileSync(join(environment, 'pyvenv.cfg'), `home = ${base}/bin\n`)
    symlinkSync(join(base, 'bin', 'python3.12'), join(environment, 'bin', 'python3'))
    const link = join(freshFolder(), 'serve')
    symlinkSync(join(environment, 'bin', 'serve'), link)
    expect(pythonProgram(link)).toEqual({ executable: join(environment, 'bin', 'serve'), folders: [environment, base], sources: [] })
    rmSync(join(environment, 'pyvenv.cfg'))
    expect(pythonProgram(link)).toBeUndefined()
  })
})

const runner = createBubblewrapRunner({ nodePath: process.execPath })
const noSandbox = await runner.available()
const python = installedPython()
if (noSandbox !== undefined) console.warn(`Python in the sandbox is not tested: ${noSandbox}`)
else if (python === undefined) console.warn('Python in the sandbox is not tested: there is no python3 with venv on this machine')

describe.skipIf(noSandbox !== undefined || python === undefined)('a Python server in the sandbox', () => {
  test('finds the packages of its environment as a module, as a script of it, and through a link, without a mount', async () => {
    const environment = join(freshFolder(), 'venv')
    execFileSync(python ?? '', ['-m', 'venv', '--without-pip', environment])
    const packages = execFileSync(join(environment, 'bin', 'python'), ['-c', "import sysconfig; print(sysconfig.get_path('purelib'))"], {
      encoding: 'utf8',
    })
    writeFileSync(join(packages.trim(), 'greeting.py'), "import json, ssl, sys\nprint('hello', sys.prefix)\n")
    const script = join(environment, 'bin', 'greet')
    writeFileSync(script, `#!${environment}/bin/python\nimport greeting\n`, { mode: 0o755 })
    const link = join(freshFolder(), 'greet')
    symlinkSync(script, link)
    const said = []
    for (const command of [[join(environment, 'bin', 'python'), '-m', 'greeting'], [script], [link]]) said.push(await output(command))
    expect(said).toEqual(Array(3).fill(`hello ${environment}\n`))
  })
})

async function output(command: readonly string[]): Promise<string> {
  const running = await runner.start({ server: stdioServer(command), workDir: join(freshFolder(), 'work'), logger: silentLogger })
  let said = ''
  for (const stream of [running.stdout, running.stderr]) for await (const chunk of stream) said += String(chunk)
  await running.ended
  return said
}

function installedPython(): string | undefined {
  try {
    const found = execFileSync('python3', ['-c', 'import ensurepip, sys, venv; print(sys.executable)'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return realpathSync(found.trim())
  } catch {
    return undefined
  }
}
