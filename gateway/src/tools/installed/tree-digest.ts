/** One digest of a folder: names, kinds, what is executable, contents, and where links lead. Any change of what would run changes it. */
import { createHash } from 'node:crypto'
import { createReadStream, type Dirent } from 'node:fs'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { TurnwardError } from '../../core/error.ts'

const mostEntries = 200_000
/** Files that are read at a time: reading waits, and many are small. */
const atOnce = 8
/** Larger files are read in pieces, so that hashing them stops nothing else for long. */
const wholeBytes = 1024 * 1024

interface Entry {
  readonly path: string
  /** From the top of the folder, with a slash in front. */
  readonly name: string
  readonly kind: 'folder' | 'link' | 'file'
}

/** `sha256:…` of all that is in the folder but the names left out at its top. Rejects with what the file system says. */
export async function treeDigest(folder: string, leftOut: readonly string[] = []): Promise<string> {
  const entries: Entry[] = []
  await collect(folder, '', leftOut, entries)
  const lines = Array.from<string>({ length: entries.length })
  let next = 0
  const work = async (): Promise<void> => {
    for (let at = next++; at < entries.length; at = next++) {
      const entry = entries[at]
      if (entry !== undefined) lines[at] = await lineOf(entry)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  const hash = createHash('sha256')
  for (const line of lines) hash.update(line)
  return `sha256:${hash.digest('hex')}`
}

async function collect(path: string, shown: string, leftOut: readonly string[], found: Entry[]): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true })
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    if (shown === '' && leftOut.includes(entry.name)) continue
    const [inner, name] = [join(path, entry.name), `${shown}/${entry.name}`]
    if (found.length === mostEntries)
      throw new TurnwardError('mcp.install_failed', { subject: inner, why: `there are more than ${mostEntries} files` })
    found.push({ path: inner, name, kind: kindOf(entry, inner) })
    if (entry.isDirectory()) await collect(inner, name, leftOut, found)
  }
}

function kindOf(entry: Dirent, path: string): Entry['kind'] {
  if (entry.isDirectory()) return 'folder'
  if (entry.isSymbolicLink()) return 'link'
  if (entry.isFile()) return 'file'
  throw new TurnwardError('mcp.install_failed', { subject: path, why: 'it is no file, folder or link' })
}

async function lineOf({ path, name, kind }: Entry): Promise<string> {
  if (kind === 'folder') return JSON.stringify(['folder', name])
  if (kind === 'link') return JSON.stringify(['link', name, await readlink(path)])
  const { mode, size } = await lstat(path)
  return JSON.stringify(['file', name, (mode & 0o100) !== 0, await contentDigest(path, size)])
}

async function contentDigest(path: string, size: number): Promise<string> {
  const hash = createHash('sha256')
  if (size <= wholeBytes) hash.update(await readFile(path))
  else for await (const piece of createReadStream(path, { highWaterMark: wholeBytes })) hash.update(piece as Buffer)
  return hash.digest('hex')
}
