/**
 * Puts the content of kept files into a request that only names them, before anybody has a view of it: what is decided on,
 * and what goes out, is then what the model reads, whatever the upstream speaks and whoever keeps files there.
 */
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Dialect } from '../../wire/dialect.ts'
import { findFile, readFile, type FileKeeper } from './file-store.ts'

/** Changes the body; false when it names none. Throws `file.not_found` naming the field and the id, `request.too_large`, and what the dialect throws. */
export async function recallFiles(keeper: () => FileKeeper, dialect: Dialect, body: JsonObject): Promise<boolean> {
  const named = dialect.namedFiles?.(body) ?? []
  if (named.length === 0) return false
  const own = keeper()
  const most = own.snapshot.settings.limits.max_body_bytes
  const contents = new Map<string, Awaited<ReturnType<typeof contentOf>>>()
  let size = 0
  for (const { id, at, put } of named) {
    const found = contents.get(id) ?? (await contentOf(own, id, at, most))
    contents.set(id, found)
    // Data in JSON takes a third more; one file may stand in several places.
    size += Math.ceil(found.content.length / 3) * 4
    if (size > most)
      throw new TurnwardError('request.too_large', { subject: at, why: `with the files it names it is larger than ${most} bytes` })
    put(found.file, found.content)
  }
  return true
}

async function contentOf(keeper: FileKeeper, id: string, at: string, most: number) {
  const file = await findFile(keeper, id)
  // What a request refers to is a fault of the request.
  if (file === undefined)
    throw new TurnwardError('file.not_found', { status: 400, subject: `${at}: ${id.replaceAll(/[^\w-]/g, '?').slice(0, 100)}` })
  if (file.bytes > most) throw new TurnwardError('request.too_large', { subject: at, why: `the file is larger than ${most} bytes` })
  const parts: Buffer[] = []
  for await (const part of readFile(keeper, file)) parts.push(part)
  return { file, content: Buffer.concat(parts) }
}
