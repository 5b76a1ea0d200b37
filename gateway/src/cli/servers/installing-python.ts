/**
 * Packages of PyPI: an environment of their own with wheels only, so that no code of a package runs, every one pinned by its
 * hash. With `uv` where there is one, else with the Python of this machine.
 */
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { TurnwardError } from '../../core/error.ts'
import type { Installer } from './installer.ts'
import { packageText } from './package-reference.ts'
import { findOnPath, runInstaller } from './running-installers.ts'

interface Pinned {
  readonly name: string
  readonly version: string
  /** `sha256:…`, of each file the version may be installed from here. */
  readonly hashes: readonly string[]
}

/** What finds versions and fills an environment. */
interface Tool {
  /** A version of a package, and of everything it needs unless `alone`. */
  pin(spec: string, alone: boolean): Promise<readonly Pinned[]>
  fill(environment: string, requirements: string): Promise<unknown>
}

const lockName = 'requirements.txt'
const wheelsOnly = ['--only-binary', ':all:']

export const pythonInstaller: Installer = {
  async resolve(reference, scratch) {
    const subject = packageText(reference)
    const { name, version } = reference
    const tool = await toolIn(scratch, subject)
    const pinned = (await tool.pin(`${name}${version === undefined ? '' : `==${version}`}`, true)).find((other) => isSame(other.name, name))
    if (pinned === undefined) throw new TurnwardError('mcp.install_failed', { subject, why: 'the registry has no such version' })
    return { name, version: pinned.version, integrity: pinned.hashes.join(' ') }
  },

  async fileDigests({ integrity }) {
    return integrity.split(' ').map((hash) => hash.replace(/^sha256:/, ''))
  },

  async install({ name, version, integrity }, folder, scratch) {
    const subject = `pypi:${name}@${version}`
    const tool = await toolIn(scratch, subject)
    const pinned = await tool.pin(`${name}==${version}`, false)
    if (pinned.find((other) => isSame(other.name, name))?.hashes.join(' ') !== integrity)
      throw new TurnwardError('mcp.install_failed', { subject, why: 'what is installed would not be what the registry said a moment ago' })
    const lock = pinned.map(({ name: one, version: its, hashes }) =>
      [`${one}==${its}`, ...hashes.map((hash) => `--hash=${hash}`)].join(' \\\n    '),
    )
    await writeFile(join(folder, lockName), `${lock.join('\n')}\n`)
    const environment = join(folder, 'venv')
    await tool.fill(environment, join(folder, lockName))
    return { programs: await programsOf(environment, name, version), lock: lockName, notes: [] }
  },
}

async function toolIn(scratch: string, subject: string): Promise<Tool> {
  const uv = findOnPath('uv')
  return uv === undefined ? pipIn(scratch, subject) : uvIn(scratch, subject, uv)
}

function uvIn(scratch: string, subject: string, uv: string): Tool {
  const run = (...args: string[]) =>
    runInstaller(uv, [...args, '--quiet', '--no-python-downloads', '--no-config'], { subject, cwd: scratch })
  return {
    async pin(spec, alone) {
      const asked = join(scratch, 'asked.txt')
      await writeFile(asked, `${spec}\n`)
      const plain = ['--no-header', '--no-annotate', '--generate-hashes', '--no-emit-index-url']
      return requirementsIn(await run('pip', 'compile', ...plain, ...wheelsOnly, ...(alone ? ['--no-deps'] : []), asked))
    },
    async fill(environment, requirements) {
      await run('venv', environment)
      const into = ['--python', join(environment, 'bin', 'python'), '--link-mode', 'copy', '--compile-bytecode']
      await run('pip', 'install', ...into, ...wheelsOnly, '--require-hashes', '-r', requirements)
    },
  }
}

const reportSchema = z.object({
  install: z.array(
    z.object({
      metadata: z.object({ name: z.string(), version: z.string() }),
      download_info: z.object({ archive_info: z.object({ hashes: z.record(z.string(), z.string()) }) }),
    }),
  ),
})

/** pip from an environment of its own, so that the server's has none. */
async function pipIn(scratch: string, subject: string): Promise<Tool> {
  const python = findOnPath('python3')
  if (python === undefined)
    throw new TurnwardError('mcp.install_failed', {
      subject,
      why: 'there is neither `uv` nor `python3` on this machine',
      fix: 'Install one of them.',
    })
  const own = join(scratch, 'pip')
  const at = { subject, cwd: scratch }
  if (!existsSync(own)) await runInstaller(python, ['-m', 'venv', own], at)
  const pip = (...args: string[]) =>
    runInstaller(join(own, 'bin', 'python'), ['-m', 'pip', '--disable-pip-version-check', '--no-input', ...args], at)
  return {
    async pin(spec, alone) {
      const asked = ['--dry-run', '--ignore-installed', '--quiet', '--report', '-', ...wheelsOnly, ...(alone ? ['--no-deps'] : []), spec]
      const { install } = reportSchema.parse(JSON.parse(await pip('install', ...asked)))
      return install.map(({ metadata: { name, version }, download_info: { archive_info } }) => ({
        name,
        version,
        hashes: Object.entries(archive_info.hashes).map(([algorithm, hash]) => `${algorithm}:${hash}`),
      }))
    },
    async fill(environment, requirements) {
      await runInstaller(python, ['-m', 'venv', '--without-pip', environment], at)
      const into = ['--python', join(environment, 'bin', 'python')]
      await pip(...into, 'install', '--quiet', ...wheelsOnly, '--no-deps', '--require-hashes', '-r', requirements)
    },
  }
}

/** `name==version \` and the hashes below it, as `uv pip compile` writes them. */
export function requirementsIn(text: string): readonly Pinned[] {
  return [...text.matchAll(/^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==([^\s;\\]+)((?:[^\n]*\\\n)*[^\n]*)/gm)].map(
    ([, name = '', version = '', rest = '']) => ({
      name,
      version,
      hashes: [...rest.matchAll(/--hash=(\S+)/g)].map(([, hash = '']) => hash),
    }),
  )
}

/** Names of PyPI are one whatever separates their words. */
function isSame(a: string, b: string): boolean {
  const normal = (name: string) => name.toLowerCase().replaceAll(/[-_.]+/g, '-')
  return normal(a) === normal(b)
}

/** Its console scripts; a package without any that can be run as a module is. */
async function programsOf(environment: string, name: string, version: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const library = join(environment, 'lib')
  for (const python of await readdir(library)) {
    const packages = join(library, python, 'site-packages')
    const folder = (await readdir(packages)).find(
      (entry) => entry.endsWith(`-${version}.dist-info`) && isSame(entry.slice(0, -`-${version}.dist-info`.length), name),
    )
    if (folder === undefined) continue
    const read = (file: string) => readFile(join(packages, folder, file), 'utf8').catch(() => '')
    const scripts = consoleScripts(await read('entry_points.txt'))
    if (scripts.length > 0) return new Map(scripts.map((script) => [script, [join(environment, 'bin', script)]]))
    const modules = [...(await read('RECORD')).matchAll(/^([A-Za-z_]\w*)\/__main__\.py,/gm)].map(([, module = '']) => module)
    return new Map(modules.map((module) => [module, [join(environment, 'bin', 'python'), '-m', module]]))
  }
  return new Map()
}

/** Names of the section `console_scripts` of an `entry_points.txt`. */
export function consoleScripts(text: string): readonly string[] {
  const section = /^\[console_scripts\]\s*$([^[]*)/m.exec(text)?.[1] ?? ''
  return [...section.matchAll(/^\s*([^\s=]+)\s*=/gm)].map(([, script = '']) => script).filter((script) => /^[\w.-]+$/.test(script))
}
