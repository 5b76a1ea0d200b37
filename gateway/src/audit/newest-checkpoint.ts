/** The newest checkpoint among the copies in a data folder, without reading the log: of this process or of one beside it. */
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from '../store/private-files.ts'
import { readCheckpointLine, type Checkpoint } from './checkpoint.ts'

/** More than one line has. */
const tailBytes = 4096
const mostFiles = 1000

/** Undefined where none was written. Rejects when the folder cannot be read. */
export async function newestCheckpoint(dataDir: string): Promise<Checkpoint | undefined> {
  const names = await readdir(dataDir).catch((error: unknown) => {
    if (isMissing(error)) return []
    throw error
  })
  const files = names.filter((name) => /^checkpoints(?:-\d+)?\.jsonl$/.test(name)).slice(0, mostFiles)
  let newest: Checkpoint | undefined
  for (const name of files) {
    const last = await lastOf(join(dataDir, name))
    if (last !== undefined && (newest === undefined || last.time > newest.time)) newest = last
  }
  return newest
}

/** What follows the last line break was cut off, and counts for nothing. */
async function lastOf(path: string): Promise<Checkpoint | undefined> {
  await using file = await open(path, 'r')
  const { size } = await file.stat()
  const { buffer, bytesRead } = await file.read(Buffer.alloc(tailBytes), 0, tailBytes, Math.max(0, size - tailBytes))
  const text = buffer.toString('utf8', 0, bytesRead)
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
  return readCheckpointLine(lines.at(-2) ?? '')
}
