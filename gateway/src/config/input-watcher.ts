/**
 * Tells when one of a set of files and folders may have changed. Watches the folders that hold them, because
 * editors replace files and Kubernetes swaps a symbolic link; it never reads the files itself.
 */
import { watch, type FSWatcher } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'

/** Long enough for an editor to finish saving, short enough not to be noticed. */
const settleMs = 50

interface WatchedFolder {
  readonly watcher: FSWatcher
  /** Device and inode: a folder that was replaced needs a new watcher. */
  readonly identity: string
  names: ReadonlySet<string>
}

/** Every name in the folder matters. */
const everything: ReadonlySet<string> = new Set(['*'])

export class InputWatcher {
  readonly #folders = new Map<string, WatchedFolder>()
  #timer: NodeJS.Timeout | undefined
  #listener: (() => void) | undefined
  #missed = false
  #closed = false
  readonly #unwatchable: (folder: string) => void
  readonly #reported = new Set<string>()

  /** `unwatchable` hears once of each folder that cannot be watched. */
  constructor(unwatchable: (folder: string) => void) {
    this.#unwatchable = unwatchable
  }

  /** Calls the listener after each burst of changes; a burst before this call counts. */
  listen(listener: () => void): void {
    this.#listener = listener
    if (this.#missed) this.#schedule()
  }

  /**
   * Watches exactly these inputs from now on. Resolves with true when a folder is watched that was not before
   * (whatever happened in it until now went unseen).
   */
  async follow(inputs: ReadonlySet<string>): Promise<boolean> {
    const wanted = await foldersOf(inputs)
    for (const [folder, watched] of this.#folders) {
      if ((await identityOf(folder)) === watched.identity && wanted.has(folder)) continue
      watched.watcher.close()
      this.#folders.delete(folder)
    }
    let grew = false
    for (const [folder, names] of wanted) {
      const watched = this.#folders.get(folder)
      if (watched !== undefined) watched.names = names
      else if (await this.#add(folder, names)) grew = true
    }
    return grew
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const { watcher } of this.#folders.values()) watcher.close()
    this.#folders.clear()
  }

  async #add(folder: string, names: ReadonlySet<string>): Promise<boolean> {
    const identity = await identityOf(folder)
    if (identity === undefined || this.#closed) return false
    try {
      const watcher = watch(folder, { persistent: false })
      const watched: WatchedFolder = { watcher, identity, names }
      watcher.on('change', (_event, name) => this.#noticed(watched, folder, typeof name === 'string' ? name : undefined))
      watcher.on('error', () => {
        watcher.close()
        if (this.#folders.get(folder) === watched) this.#folders.delete(folder)
        this.#schedule()
      })
      this.#folders.set(folder, watched)
      return true
    } catch {
      if (!this.#reported.has(folder)) this.#unwatchable(folder)
      this.#reported.add(folder)
      return false
    }
  }

  #noticed(watched: WatchedFolder, folder: string, name: string | undefined): void {
    // `..data` is the link Kubernetes swaps; the folder's own name says that it was removed or replaced.
    if (name === undefined || watched.names === everything || watched.names.has(name) || name.startsWith('..') || name === basename(folder))
      this.#schedule()
  }

  #schedule(): void {
    if (this.#closed) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#tell(), settleMs)
    this.#timer.unref()
  }

  #tell(): void {
    this.#missed = this.#listener === undefined
    this.#listener?.()
  }
}

/** Folder -> names in it that matter: of each input as named, and of what it really is. */
async function foldersOf(inputs: ReadonlySet<string>): Promise<Map<string, ReadonlySet<string>>> {
  const folders = new Map<string, ReadonlySet<string>>()
  const add = (path: string) => {
    const present = folders.get(dirname(path))
    if (present !== everything) folders.set(dirname(path), new Set([...(present ?? []), basename(path)]))
  }
  for (const input of inputs) {
    const [real, info] = await Promise.all([realpath(input).catch(() => input), stat(input).catch(() => undefined)])
    add(input)
    if (real !== input) add(real)
    if (info?.isDirectory() === true) folders.set(input, everything)
    if (info === undefined) add(await nearestFolder(input))
  }
  return folders
}

/** The highest missing part of a path, whose folder exists: its appearance is what to wait for. */
async function nearestFolder(path: string): Promise<string> {
  let missing = path
  while (dirname(missing) !== missing && (await identityOf(dirname(missing))) === undefined) missing = dirname(missing)
  return missing
}

async function identityOf(folder: string): Promise<string | undefined> {
  const info = await stat(folder).catch(() => undefined)
  return info?.isDirectory() === true ? `${info.dev}:${info.ino}` : undefined
}
