/**
 * Folders and files that only the gateway's own user may read. Never opens a file that already exists as a
 * database: closing such a descriptor would drop SQLite's locks on it in this process.
 */
import { randomBytes } from 'node:crypto'
import { chmodSync, closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** Makes the folder (0700) with its parents. One that exists keeps its mode: an administrator may have widened it on purpose. */
export function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
}

/** Makes an empty file (0600) if there is none, so that SQLite does not create it readable by others. */
export function makePrivateFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (!isExisting(error)) throw error
  }
}

/**
 * Content of a file that is made once: written whole under another name and then linked, so that two processes
 * that start together agree on one content and a crash leaves no half of it.
 */
export function readOrMakeOnce(path: string, make: () => Uint8Array): Buffer {
  try {
    return readPrivate(path)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  try {
    writeDurably(draft, make())
    linkSync(draft, path)
    syncFolder(dirname(path))
  } catch (error) {
    if (!isExisting(error)) throw error
  } finally {
    rmSync(draft, { force: true })
  }
  return readPrivate(path)
}

/** Writes a new private file and waits until it is on disk. */
function writeDurably(path: string, content: Uint8Array): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    writeSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Makes the names in a folder durable, not only the contents of its files. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function readPrivate(path: string): Buffer {
  const content = readFileSync(path)
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600)
  return content
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST'
}
