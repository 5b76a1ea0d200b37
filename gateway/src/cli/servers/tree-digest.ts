/** One digest of a folder: names, kinds, what is executable, contents, and where links lead. Any change of what would run changes it. */
import { createHash } from 'node:crypto'
import { readdir, readFile, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { TurnwardError } from '../../core/error.ts'

const mostEntries = 200_000

/** `sha256:…` of all that is in the folder but the names left out at its top. */
export async function treeDigest(folder: string, leftOut: readonly string[] = []): Promise<string> {
  const hash = createHash('sha256')
  let left = mostEntries
  const add = async (path: string, shown: string): Promise<void> => {
    const entries = await readdir(path, { withFileTypes: true })
    entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const entry of entries) {
      if (shown === '' && leftOut.includes(entry.name)) continue
      if ((left -= 1) < 0)
        throw new TurnwardError('mcp.install_failed', { subject: folder, why: `it holds more than ${mostEntries} files` })
      const [inner, name] = [join(path, entry.name), `${shown}/${entry.name}`]
      if (entry.isDirectory()) {
        hash.update(JSON.stringify(['folder', name]))
        await add(inner, name)
      } else if (entry.isSymbolicLink()) hash.update(JSON.stringify(['link', name, await readlink(inner)]))
      else if (entry.isFile()) {
        const content = createHash('sha256')
          .update(await readFile(inner))
          .digest('hex')
        hash.update(JSON.stringify(['file', name, ((await stat(inner)).mode & 0o100) !== 0, content]))
      } else throw new TurnwardError('mcp.install_failed', { subject: inner, why: 'it is no file, folder or link' })
    }
  }
  await add(folder, '')
  return `sha256:${hash.digest('hex')}`
}
