/**
 * Keeps files for their callers: sealed, each bound to its place, for a while, so many and so much for each caller. They are
 * in the store and not in the shared state: that is memory, here or in Valkey, of which every byte is held for as long as it
 * is kept and at most as large as a value may be, while a file is megabytes, is read seldom, and has to outlive whatever
 * memory forgets. A file stands there in parts, so that no statement and no message to the database is large, and reading one
 * begins with its first part. Found again by nobody but the same caller (`keeping/keeper.ts`).
 */
import { hkdfSync } from 'node:crypto'
import { TurnwardError } from '../../core/error.ts'
import { openBytes, sealBytes } from '../../core/sealed-bytes.ts'
import type { FileBounds, StoredFile } from '../../store/files.ts'
import type { FileFacts } from '../../wire/kept-files.ts'
import { keyOf, ownerOf, type Keeper } from '../keeping/keeper.ts'
import type { Services } from '../services.ts'

/** Whose files are meant, and what they are kept with. */
export interface FileKeeper extends Keeper {
  readonly services: Pick<Services, 'state' | 'clock' | 'secret' | 'store'>
}

export interface FoundFile extends FileFacts {
  readonly key: string
}

export type NewFile = Pick<FileFacts, 'id' | 'name' | 'purpose' | 'mediaType'> & {
  /** How long its caller wants it kept; at most as long as the configuration says. */
  readonly ttlMs?: number | undefined
}

const partBytes = 256 * 1024

/** Keeps a file of this size, if there is room for it. Throws `file.no_room`. */
export function keepFile(keeper: FileKeeper, file: NewFile, chunks: AsyncIterable<Uint8Array>, bytes: number): Promise<FileFacts> {
  const { max_kept: files, max_kept_bytes: most } = keeper.snapshot.settings.files
  return keep(keeper, file, chunks, { bytes, bounds: { files, bytes: most } })
}

/**
 * Keeps a file that the gateway has made for its caller, however large it gets: what has been paid for is not dropped. What
 * is there under its id already was not finished, or is the same.
 */
export async function keepMadeFile(keeper: FileKeeper, file: NewFile, chunks: AsyncIterable<Uint8Array>): Promise<FileFacts> {
  await keeper.services.store.files.remove(keyOf(keeper, 'file', file.id))
  return keep(keeper, file, chunks, { bytes: 0 })
}

async function keep(
  keeper: FileKeeper,
  { ttlMs = Infinity, ...file }: NewFile,
  chunks: AsyncIterable<Uint8Array>,
  room: { readonly bytes: number; readonly bounds?: FileBounds },
): Promise<FileFacts> {
  const { services, snapshot } = keeper
  const { files } = services.store
  const key = keyOf(keeper, 'file', file.id)
  const created = services.clock.now()
  const expires = created + Math.min(snapshot.settings.files.ttl_ms, ttlMs)
  const seal = (what: string | number, content: Uint8Array): string =>
    sealBytes(sealingKey(services.secret), Buffer.from(`${key}|${what}`), content)
  const facts = seal('facts', Buffer.from(JSON.stringify(file)))
  const stored = { key, owner: ownerOf(keeper), facts, bytes: room.bytes, created, expires }
  if (!(await files.begin(stored, room.bounds))) throw new TurnwardError('file.no_room')
  let bytes = 0
  let part = 0
  try {
    for await (const content of inParts(chunks)) {
      bytes += content.length
      await files.addPart(key, part, seal(part, content))
      part += 1
    }
    await files.finish(key, bytes)
  } catch (error) {
    await files.remove(key).catch(() => false)
    throw error
  }
  return { ...file, bytes, created, expires }
}

/** The file the caller knows by this id; undefined when there is none. */
export async function findFile(keeper: FileKeeper, id: string): Promise<FoundFile | undefined> {
  const { services } = keeper
  const stored = await services.store.files.find(keyOf(keeper, 'file', id), services.clock.now())
  return stored === undefined ? undefined : opened(services.secret, stored)
}

/** All files of the caller, newest first. */
export async function listFiles(keeper: FileKeeper): Promise<readonly FoundFile[]> {
  const { services } = keeper
  const stored = await services.store.files.list(ownerOf(keeper), services.clock.now())
  return stored.map((one) => opened(services.secret, one)).filter((file) => file !== undefined)
}

/** The content, part by part. Throws `store.failed` when it is not whole any more. */
export async function* readFile({ services }: Pick<FileKeeper, 'services'>, { key, bytes }: FoundFile): AsyncGenerator<Buffer> {
  let read = 0
  for (let part = 0; read < bytes; part += 1) {
    const sealed = await services.store.files.part(key, part)
    const content = sealed === undefined ? undefined : openBytes(sealingKey(services.secret), Buffer.from(`${key}|${part}`), sealed)
    if (content === undefined || content.length === 0)
      throw new TurnwardError('store.failed', { subject: 'a file', why: 'a part of it is missing' })
    read += content.length
    yield content
  }
}

export async function removeFile({ services }: FileKeeper, { key }: FoundFile): Promise<void> {
  await services.store.files.remove(key)
}

function opened(secret: Buffer, { key, facts, bytes, created, expires }: StoredFile): FoundFile | undefined {
  const content = openBytes(sealingKey(secret), Buffer.from(`${key}|facts`), facts)
  if (content === undefined) return undefined
  const said = JSON.parse(content.toString('utf8')) as Pick<FileFacts, 'id' | 'name' | 'purpose' | 'mediaType'>
  return { ...said, key, bytes, created, expires }
}

async function* inParts(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let waiting: Uint8Array[] = []
  let size = 0
  for await (let chunk of chunks) {
    while (size + chunk.length >= partBytes) {
      const rest = partBytes - size
      yield Buffer.concat([...waiting, chunk.subarray(0, rest)])
      chunk = chunk.subarray(rest)
      waiting = []
      size = 0
    }
    if (chunk.length > 0) waiting.push(chunk)
    size += chunk.length
  }
  if (size > 0) yield Buffer.concat(waiting)
}

const sealingKeys = new WeakMap<Buffer, Buffer>()

function sealingKey(secret: Buffer): Buffer {
  let key = sealingKeys.get(secret)
  if (key === undefined) {
    key = Buffer.from(hkdfSync('sha256', secret, 'turnward', 'kept files v1', 32))
    sealingKeys.set(secret, key)
  }
  return key
}
