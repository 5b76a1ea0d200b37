/**
 * What each MCP server listed last, so that the names of its tools keep their meaning while it is down and after a
 * restart. Definitions are JSON text; what they mean is decided above.
 */
import type { Kysely } from 'kysely'
import type { StoreTables } from './tables.ts'

/** The tools of one server as it listed them last. */
export interface StoredListing {
  readonly server: string
  /** JSON array of tool definitions. */
  readonly tools: string
  /** Unix milliseconds at which the server was last known to be configured. */
  readonly seen: number
}

export interface ListingTable {
  /** Puts this listing in the place of an earlier one of the server. */
  save(listing: StoredListing): Promise<void>
  /** All listings, the one seen last in front. */
  list(): Promise<StoredListing[]>
  /** Notes that these servers are configured at `now`; the others are forgotten when they were seen before `since`, or when `most` newer ones are kept. */
  retain(configured: readonly string[], bounds: { readonly now: number; readonly since: number; readonly most: number }): Promise<void>
}

/** The table of listings. Every call rejects with `store.failed` when the database cannot be used. */
export function listingTable(database: Kysely<StoreTables>): ListingTable {
  return {
    async save(listing) {
      await database
        .insertInto('tool_listings')
        .values({ ...listing })
        .onConflict((conflict) => conflict.column('server').doUpdateSet({ tools: listing.tools, seen: listing.seen }))
        .execute()
    },
    list() {
      return database.selectFrom('tool_listings').selectAll().orderBy('seen', 'desc').orderBy('server').execute()
    },
    async retain(configured, { now, since, most }) {
      const rows = await database.selectFrom('tool_listings').select(['server', 'seen']).orderBy('seen', 'desc').orderBy('server').execute()
      const wanted = new Set(configured)
      const known = rows.filter(({ server }) => wanted.has(server)).map(({ server }) => server)
      const forgotten = rows
        .filter(({ server }) => !wanted.has(server))
        .filter(({ seen }, index) => seen < since || index >= most)
        .map(({ server }) => server)
      for (const names of chunks(known))
        await database.updateTable('tool_listings').set({ seen: now }).where('server', 'in', names).execute()
      for (const names of chunks(forgotten)) await database.deleteFrom('tool_listings').where('server', 'in', names).execute()
    },
  }
}

/** Below the number of parameters a statement may have. */
const chunkSize = 500

function chunks(names: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(names.length / chunkSize) }, (_, index) => names.slice(index * chunkSize, (index + 1) * chunkSize))
}
