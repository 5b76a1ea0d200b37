/**
 * The hosts each server was refused, kept beside the working folders so that an administrator finds them after the fact. They are
 * notes: a file that cannot be read or written is one note less, and nothing that is decided depends on it.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'

const ending = '.refused.json'
const maxHosts = 100
const hostSchema = z.object({ host: z.string().max(253), port: z.number(), why: z.string(), add: z.string().optional() })
const fileSchema = z.array(hostSchema).max(maxHosts)

/** A host as it was refused first. */
export type KeptRefusal = z.infer<typeof hostSchema>

/** The file of a server, in the folder that has the working folders. */
export function refusedHostsFile(folder: string, server: string): string {
  return join(folder, `${server}${ending}`)
}

/** Adds hosts to what is there. Never rejects. */
export async function keepRefusedHosts(path: string, refused: readonly KeptRefusal[]): Promise<void> {
  const next = `${path}.${process.pid}.tmp`
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const hosts = new Map([...(await readHosts(path)), ...refused].map((one) => [`${one.host}:${one.port}`, one]))
    const kept = [...hosts.values()].slice(-maxHosts).map(({ host, port, why, add }) => ({ host, port, why, add }))
    await writeFile(next, JSON.stringify(kept), { mode: 0o600 })
    await rename(next, path)
  } catch {
    await rm(next, { force: true }).catch(() => {})
  }
}

/** What is kept of every server. Never rejects. */
export async function readRefusedHosts(folder: string): Promise<ReadonlyMap<string, readonly KeptRefusal[]>> {
  const names = await readdir(folder).catch(() => [])
  const files = names.filter((name) => name.endsWith(ending))
  const read = files.map(async (name) => [name.slice(0, -ending.length), await readHosts(join(folder, name))] as const)
  return new Map(await Promise.all(read))
}

async function readHosts(path: string): Promise<readonly KeptRefusal[]> {
  try {
    return fileSchema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return []
  }
}
