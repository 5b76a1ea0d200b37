/**
 * What reading a configuration asks of the disk. What one process read can be handed to another, which then has the same
 * configuration whatever has become of the files since.
 */
import { readdir, realpath, stat } from 'node:fs/promises'
import { readText } from './read-file.ts'

export interface Disk {
  /** Text of a regular file of at most `limit` bytes. Rejects with an Error whose message says why not, without the path. */
  text(path: string, limit: number): Promise<string>
  /** Names in a folder; undefined when it may not be read. */
  names(folder: string): Promise<readonly string[] | undefined>
  isFolder(path: string): Promise<boolean>
  /** The path without links; as it is when there is no such thing. */
  realPath(path: string): Promise<string>
}

export const realDisk: Disk = {
  text: readText,
  names: (folder) => readdir(folder).catch(() => undefined),
  isFolder: async (path) => (await stat(path).catch(() => undefined))?.isDirectory() === true,
  realPath: (path) => realpath(path).catch(() => path),
}

/** Everything that was read, as JSON can carry it. Holds what the files hold: secrets too. */
export interface DiskReading {
  readonly texts: Readonly<Record<string, string>>
  /** Why a file could not be read. */
  readonly failures: Readonly<Record<string, string>>
  readonly names: Readonly<Record<string, readonly string[] | null>>
  readonly folders: readonly string[]
  readonly realPaths: Readonly<Record<string, string>>
}

/** The disk, and what was read of it so far. */
export function recordedDisk(disk: Disk = realDisk): { readonly disk: Disk; readonly reading: DiskReading } {
  const reading = {
    texts: {} as Record<string, string>,
    failures: {} as Record<string, string>,
    names: {} as Record<string, readonly string[] | null>,
    folders: [] as string[],
    realPaths: {} as Record<string, string>,
  }
  return {
    reading,
    disk: {
      async text(path, limit) {
        try {
          return (reading.texts[path] = await disk.text(path, limit))
        } catch (error) {
          reading.failures[path] = error instanceof Error ? error.message : 'cannot be read'
          throw error
        }
      },
      async names(folder) {
        const names = await disk.names(folder)
        reading.names[folder] = names ?? null
        return names
      },
      async isFolder(path) {
        const isFolder = await disk.isFolder(path)
        if (isFolder) reading.folders.push(path)
        return isFolder
      },
      realPath: async (path) => (reading.realPaths[path] = await disk.realPath(path)),
    },
  }
}

/** A disk that answers what another process read. */
export function diskOf({ texts, failures, names, folders, realPaths }: DiskReading): Disk {
  return {
    async text(path) {
      const text = texts[path]
      if (text === undefined) throw new Error(failures[path] ?? 'does not exist')
      return text
    },
    names: async (folder) => names[folder] ?? undefined,
    isFolder: async (path) => folders.includes(path),
    realPath: async (path) => realPaths[path] ?? path,
  }
}
