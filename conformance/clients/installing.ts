/**
 * Brings a client from npm into a folder of its own, once: the project does not depend on any of them. Install scripts stay
 * off; the one a client needs is run by hand.
 */
import { execFile } from 'node:child_process'
import { access, mkdir, rm, writeFile } from 'node:fs/promises'
import { homedir, platform } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Client } from './client.ts'

const run = promisify(execFile)

/** Where clients are kept unless told otherwise: the cache folder of the system. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const caches: Partial<Record<NodeJS.Platform, string>> = {
    darwin: join(homedir(), 'Library/Caches'),
    win32: env.LOCALAPPDATA ?? join(homedir(), 'AppData/Local'),
  }
  return join(caches[platform()] ?? env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'turnward-clients')
}

/** The client's command, installed when it is not there in this version. Nothing is fetched when it is. */
export async function install(client: Client, into: string): Promise<string> {
  const folder = join(into, `${client.name}-${client.version}`)
  const done = join(folder, '.installed')
  const command = join(folder, 'node_modules/.bin', client.command)
  if (await exists(done)) return command
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n')
  const wanted = `${client.package}@${client.version}`
  await run('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts', '--save-exact', wanted], {
    cwd: folder,
    maxBuffer: 16 * 1024 * 1024,
  })
  if (client.postInstall !== undefined) {
    const cwd = join(folder, 'node_modules', client.package)
    await run(process.execPath, [client.postInstall], { cwd, env: { PATH: process.env.PATH, HOME: folder } })
  }
  await writeFile(done, `${wanted}\n`)
  return command
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
