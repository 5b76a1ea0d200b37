/** Packages of npm: one exact version with its lock, none of their scripts run. */
import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { TurnwardError } from '../../core/error.ts'
import type { Installer } from './installer.ts'
import { packageText } from './package-reference.ts'
import { findOnPath, runInstaller } from './running-installers.ts'

const viewSchema = z.object({ name: z.string(), version: z.string(), 'dist.integrity': z.string() })
const manifestSchema = z.object({ version: z.string(), bin: z.union([z.string(), z.record(z.string(), z.string())]).optional() })
const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({ version: z.string().optional(), integrity: z.string().optional(), hasInstallScript: z.boolean().optional() }),
  ),
})

export const npmInstaller: Installer = {
  async resolve(reference, scratch) {
    const subject = packageText(reference)
    const spec = `${reference.name}@${reference.version ?? 'latest'}`
    const told = await runInstaller(npm(subject), ['view', spec, 'name', 'version', 'dist.integrity', '--json'], { subject, cwd: scratch })
    // npm 11 and later answers for one version with a list of one.
    const parsed: unknown = told.trim() === '' ? undefined : JSON.parse(told)
    const view = viewSchema.safeParse(Array.isArray(parsed) && parsed.length === 1 ? parsed[0] : parsed)
    if (!view.success) throw new TurnwardError('mcp.install_failed', { subject, why: 'the registry has no such version' })
    return { name: view.data.name, version: view.data.version, integrity: view.data['dist.integrity'] }
  },

  async fileDigests({ name, version }, scratch) {
    const subject = `npm:${name}@${version}`
    const folder = join(scratch, 'packed')
    await mkdir(folder, { recursive: true })
    // It is compared with what the registry says of it on the way.
    await runInstaller(npm(subject), ['pack', `${name}@${version}`, '--ignore-scripts', '--loglevel=error', '--pack-destination', folder], {
      subject,
      cwd: scratch,
    })
    const files = await readdir(folder)
    return Promise.all(
      files.map(async (file) =>
        createHash('sha256')
          .update(await readFile(join(folder, file)))
          .digest('hex'),
      ),
    )
  },

  async install({ name, version, integrity }, folder) {
    const subject = `npm:${name}@${version}`
    await writeFile(join(folder, 'package.json'), `${JSON.stringify({ name: 'installed-by-turnward', private: true })}\n`)
    const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error']
    await runInstaller(npm(subject), ['install', '--ignore-scripts', '--omit=dev', '--save-exact', ...quiet, `${name}@${version}`], {
      subject,
      cwd: folder,
    })
    const lock = lockSchema.parse(JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8')))
    const locked = lock.packages[`node_modules/${name}`]
    if (locked?.version !== version || locked.integrity !== integrity)
      throw new TurnwardError('mcp.install_failed', { subject, why: 'what was installed is not what the registry said a moment ago' })
    const scripts = Object.entries(lock.packages).flatMap(([path, { hasInstallScript }]) =>
      hasInstallScript === true ? [path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)] : [],
    )
    return {
      programs: await programsOf(folder, name),
      lock: 'package-lock.json',
      notes: scripts.length === 0 ? [] : [`scripts that ${scripts.join(', ')} would run at an installation were not run`],
    }
  },
}

async function programsOf(folder: string, name: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const root = join(folder, 'node_modules', name)
  const { bin = {} } = manifestSchema.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')))
  const bins = typeof bin === 'string' ? { [name.replace(/^@[^/]*\//, '')]: bin } : bin
  const programs = new Map<string, readonly string[]>()
  for (const [program, path] of Object.entries(bins)) {
    const file = join(root, path)
    programs.set(program, (await isForNode(file)) ? ['node', file] : [file])
  }
  return programs
}

/** A script, by its name or its first line; everything else is a program of its own. */
async function isForNode(file: string): Promise<boolean> {
  if (/\.[cm]?js$/.test(file)) return true
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(128), 0, 128, 0)
    return /^#!.*\bnode\b/.test(buffer.toString('latin1', 0, bytesRead))
  } finally {
    await handle.close()
  }
}

function npm(subject: string): string {
  const found = findOnPath('npm')
  if (found === undefined)
    throw new TurnwardError('mcp.install_failed', {
      subject,
      why: 'there is no `npm` on this machine',
      fix: 'Install Node.js, which brings it.',
    })
  return found
}
