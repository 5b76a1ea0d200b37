/** A file system of a few megabytes that a test can fill. Needs root. */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SmallDisk {
  readonly path: string
  /** Mounts it again, writable or not. */
  remount(mode: 'ro' | 'rw'): void
  unmount(): void
}

/** Undefined where nothing may be mounted. */
export async function smallDisk(): Promise<SmallDisk | undefined> {
  const path = await mkdtemp(join(tmpdir(), 'turnward-small-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=700', 'tmpfs', path], { stdio: 'ignore' })
  } catch {
    await rm(path, { recursive: true, force: true })
    return undefined
  }
  return {
    path,
    remount: (mode) => void execFileSync('mount', ['-o', `remount,${mode}`, path], { stdio: 'ignore' }),
    unmount: () => void execFileSync('umount', ['-l', path], { stdio: 'ignore' }),
  }
}

/** Writes a file until nothing fits any more. */
export async function fill(path: string): Promise<void> {
  for (let size = 1024 * 1024; size >= 512;) {
    try {
      await writeFile(path, Buffer.alloc(size), { flag: 'a' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      size = Math.floor(size / 2)
    }
  }
}
