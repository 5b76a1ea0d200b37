/**
 * What a server is shown of the folder its script lies in: code has siblings, but so have keys. Dot files (`.env`, `.git`,
 * `.npmrc`), files that hold keys by their name, and what the gateway protects are left out, at any depth. They are not
 * covered up but never mounted: a cover falls off when the file below it is replaced.
 */
import { readdirSync, type Dirent } from 'node:fs'
import { join } from 'node:path'
import { TurnwardError } from '../../core/error.ts'

/** More than a server's code has; every path shown costs time at its start. */
const mostLooked = 20_000
const mostShown = 1000
const keyFile = /^(?:id_(?:rsa|dsa|ecdsa|ed25519).*|.*\.(?:pem|key|p12|pfx|jks|keystore|kdbx|gpg|asc))$/i

interface Look {
  readonly isProtected: (path: string) => boolean
  left: number
}

/**
 * Paths below the folder that together are all of it but what is left out; a folder in which nothing is left out is one path.
 * The folder itself is never one of them: what is put into it later is not seen. Errors: `config.invalid` when there is too
 * much to look through.
 */
export function shownOf(server: string, folder: string, isProtected: (path: string) => boolean): string[] {
  const look: Look = { isProtected, left: mostLooked }
  const shown = entriesShown(folder, look)
  if (look.left < 0 || shown.paths.length > mostShown) {
    throw new TurnwardError('config.invalid', {
      subject: `servers.${server}.command`,
      why: 'the folder of its script holds too much to be shown file by file',
      fix: 'Put the server into a folder of its own.',
    })
  }
  return shown.paths
}

interface Shown {
  readonly paths: string[]
  readonly isWhole: boolean
}

function entriesShown(folder: string, look: Look): Shown {
  const paths: string[] = []
  let isWhole = true
  for (const entry of listing(folder)) {
    look.left -= 1
    if (look.left < 0) break
    const path = join(folder, entry.name)
    if (isLeftOut(entry) || look.isProtected(path)) {
      isWhole = false
    } else if (!entry.isDirectory() || entry.name === 'node_modules') {
      // Installed packages are code throughout, and what links them has dots.
      paths.push(path)
    } else {
      const below = entriesShown(path, look)
      isWhole &&= below.isWhole
      paths.push(...(below.isWhole ? [path] : below.paths))
    }
  }
  return { paths, isWhole }
}

function isLeftOut(entry: Dirent): boolean {
  if (entry.name.startsWith('.')) return true
  if (entry.isSocket() || entry.isFIFO() || entry.isBlockDevice() || entry.isCharacterDevice()) return true
  return entry.isFile() && keyFile.test(entry.name)
}

function listing(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch {
    // What the gateway may not read it cannot show.
    return []
  }
}
