/**
 * The folder a runner makes for one running server. It removes only what runners put there: a wrong path in a
 * caller must not become a deleted folder.
 */
import { mkdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'

export const workNames = { etc: 'etc', home: 'home', egress: 'egress' } as const

/** Makes the folder, closed to other users, without leftovers of a gateway that crashed. */
export async function makeWorkFolder(path: string): Promise<void> {
  await removeWorkFolder(path)
  await mkdir(path, { recursive: true, mode: 0o700 })
}

/** Removes what a runner made, and the folder when nothing else is in it. Never throws. */
export async function removeWorkFolder(path: string): Promise<void> {
  await Promise.all(Object.values(workNames).map((name) => rm(join(path, name), { recursive: true, force: true }).catch(() => {})))
  await rmdir(path).catch(() => {})
}
