/**
 * Which configured folders a sandbox may be given. It refuses whatever would hand over the gateway's own keys or
 * the control of the host; it never follows a relative path.
 */
import { lstatSync, realpathSync, statSync } from 'node:fs'
import { isAbsolute, normalize } from 'node:path'
import { TurnwardError } from '../../core/error.ts'
import { contains } from './server-command.ts'

export interface Mount {
  /** Real path on the host. */
  readonly source: string
  /** Path inside, as the administrator wrote it. */
  readonly target: string
  readonly write: boolean
  /** Owner on the host. */
  readonly uid: number
  readonly gid: number
}

/** Never given as a whole: they hold sockets, keys or every other folder. */
const wholeFolders = ['/', '/etc', '/run', '/var', '/var/run', '/usr', '/boot', '/tmp', '/opt', '/home', '/bin', '/sbin', '/lib', '/lib64']
/** Nothing at or below them is given: the kernel's own interfaces, which the sandbox mounts itself. */
const kernelFolders = ['/proc', '/sys', '/dev']

/** Checks the configured mounts. Errors: `config.invalid` naming the mount and why it is refused. */
export function checkMounts(
  server: string,
  mounts: readonly { readonly path: string; readonly write: boolean }[],
  protect: readonly string[],
): Mount[] {
  return mounts.map(({ path, write }) => {
    const refuse = (why: string) =>
      new TurnwardError('config.invalid', { subject: `servers.${server}.mounts ${path}`, why, fix: 'Mount a folder made for this server.' })
    if (!isAbsolute(path)) throw refuse('a mount must be an absolute path')
    const target = normalize(path).replace(/(?<=.)\/+$/, '')
    if (lstatSync(target, { throwIfNoEntry: false }) === undefined) throw refuse('it does not exist')
    const source = realpathSync(target)
    const stat = statSync(source)
    if (!stat.isDirectory() && !stat.isFile()) throw refuse('only folders and plain files can be mounted')
    for (const side of [source, target]) {
      if (wholeFolders.includes(side)) throw refuse('it would show the server far more than its own files')
      if (kernelFolders.some((folder) => contains(folder, side))) throw refuse('it belongs to the kernel')
      if (protect.some((secret) => contains(side, secret) || contains(secret, side)))
        throw refuse('it overlaps files the gateway keeps its keys, log or configuration in')
    }
    return { source, target, write, uid: stat.uid, gid: stat.gid }
  })
}
