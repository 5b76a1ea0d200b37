/** The tools of servers as the store knows them: what each listed last, and what became of every definition. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Snapshot } from '../../config/snapshot.ts'
import { asTurnwardError } from '../../core/error.ts'
import { openStore, type Store } from '../../store/store.ts'
import { readTools } from '../../tools/tool-definitions.ts'
import { parseExactJson } from '../../core/exact-json.ts'
import type { JsonValue } from '../../core/json.ts'
import { openingSettingsOf, storePlaceOf } from '../places.ts'

export interface KnownServerTool {
  /** As its server calls it. */
  readonly name: string
  readonly digest: string
  /** `approved`: this definition is; `new`, `changed`: held for a review; `unreviewed`: used without one (`pin: warn`, `off`). */
  readonly pin: 'approved' | 'new' | 'changed' | 'unreviewed'
  /** Who approved it, where somebody did. */
  readonly by: string | null
}

/** Works with the store of a configuration; nothing is made where there is none yet, and then `undefined` is passed on. */
export async function withStore<T>(snapshot: Snapshot, work: (store: Store | undefined) => Promise<T>): Promise<T> {
  const place = storePlaceOf(openingSettingsOf(snapshot))
  if (place.kind === 'sqlite' && !existsSync(join(place.dataDir, 'turnward.db'))) return work(undefined)
  const store = await openStore(place)
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

/** Server -> its tools, for every server that was listed once. Rejects with `store.failed`. */
export async function knownServerTools(store: Pick<Store, 'listings' | 'pins'>): Promise<ReadonlyMap<string, readonly KnownServerTool[]>> {
  const [listings, held, approvals] = [await store.listings.list(), await store.pins.held(), await store.pins.approvals()]
  const approved = new Map(approvals.map(({ server, tool, digest, by }) => [`${server} ${tool}`, { digest, by }]))
  const known = new Map<string, readonly KnownServerTool[]>()
  for (const server of new Set([...listings, ...held].map((one) => one.server))) {
    const waiting = held.filter((one) => one.server === server)
    const names = new Set(waiting.map(({ tool }) => tool))
    const text = listings.find((one) => one.server === server)?.tools ?? '[]'
    const listed = readTools(server, definitionsIn(text)).tools.filter(({ originalName }) => !names.has(originalName))
    known.set(server, [
      ...listed.map(({ originalName: name, digest }): KnownServerTool => {
        const pin = approved.get(`${server} ${name}`)
        return pin?.digest === digest ? { name, digest, pin: 'approved', by: pin.by } : { name, digest, pin: 'unreviewed', by: null }
      }),
      ...waiting.map(({ tool: name, digest }): KnownServerTool => ({
        name,
        digest,
        pin: approved.has(`${server} ${name}`) ? 'changed' : 'new',
        by: null,
      })),
    ])
  }
  return known
}

/** The same, or why nobody can say. */
export async function knownToolsOf(
  snapshot: Snapshot,
): Promise<{ readonly tools: ReadonlyMap<string, readonly KnownServerTool[]>; readonly problem?: string }> {
  const none = new Map<string, readonly KnownServerTool[]>()
  try {
    return { tools: await withStore(snapshot, async (store) => (store === undefined ? none : knownServerTools(store))) }
  } catch (error) {
    const { why, message } = asTurnwardError(error)
    return { tools: none, problem: why ?? message }
  }
}

function definitionsIn(text: string): readonly JsonValue[] {
  try {
    const parsed = parseExactJson(text)
    return Array.isArray(parsed) ? parsed : []
  } catch {
    return []
  }
}
