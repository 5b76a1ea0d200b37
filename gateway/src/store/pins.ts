/**
 * Which definitions of tools may be used: for every tool the one that was approved last, and the one that waits for somebody
 * to look at it. Approvals only grow: who approved what, and when, stays. Definitions are JSON text; what differs is decided
 * above.
 */
import type { Kysely } from 'kysely'
import type { StoreTables } from './tables.ts'

/** A definition that may be used, or could when it was approved. */
export interface Approval {
  readonly server: string
  /** The name the server gives it. */
  readonly tool: string
  /** SHA-256 of the canonical definition. */
  readonly digest: string
  /** JSON of the definition. */
  readonly definition: string
  /** Unix milliseconds. */
  readonly approved: number
  /** Who decided it: a person, or what stands in the place of one. */
  readonly by: string
}

/** A definition as a server lists it. */
export type ListedDefinition = Pick<Approval, 'tool' | 'digest' | 'definition'>

/** A definition that nobody may use yet. */
export interface HeldDefinition extends ListedDefinition {
  readonly server: string
  /** Unix milliseconds at which it was listed first. */
  readonly seen: number
}

export interface PinnedDefinition {
  readonly digest: string
  readonly by: string
}

export interface PinTable {
  /** The definition of each tool that may be used, by the server's name of it; undefined when the server has never listed any. */
  ofServer(server: string): Promise<ReadonlyMap<string, PinnedDefinition> | undefined>
  /** When the first listing of the server was taken, in Unix milliseconds; undefined when there was none. */
  firstListed(server: string): Promise<number | undefined>
  /** Approves the first listing of a server as it is. False when it had one before: nothing is changed then. */
  pinFirst(server: string, listed: readonly ListedDefinition[], at: number, by: string): Promise<boolean>
  /** What of a server waits from now on; all that waited before and is not among it is forgotten. */
  hold(server: string, listed: readonly ListedDefinition[], at: number): Promise<void>
  /** Digests of what of a server waits. */
  heldDigests(server: string): Promise<ReadonlySet<string>>
  /** When a definition of the server was approved last. Grows with every approval, whatever the clocks say. */
  lastApproval(server: string): Promise<number>
  /** Everything that waits, by server and tool. */
  held(): Promise<HeldDefinition[]>
  /** Approves what waits, if it is this definition. False when something else waits by now, or nothing. */
  approveHeld(which: Pick<HeldDefinition, 'server' | 'tool' | 'digest'>, at: number, by: string): Promise<boolean>
  /** Approves a definition that nobody held back. */
  approve(approval: Approval): Promise<void>
  /** Every approval there was, oldest first, and for every server that its first listing was taken: of a tool with an empty name. */
  approvals(): Promise<Approval[]>
  /** Takes over what another store has. */
  adopt(approvals: readonly Approval[]): Promise<number>
}

/** Stands for the first listing itself, which may have had no tool: no tool has an empty name. */
const firstListing = ''
/** Below the number of parameters a statement may have. */
const chunkSize = 100

/** The table of pins. Every call rejects with `store.failed` when the database cannot be used. */
export function pinTable(database: Kysely<StoreTables>): PinTable {
  return {
    async ofServer(server) {
      const rows = await database
        .selectFrom('tool_pins')
        .select(['tool', 'digest', 'approved_by'])
        .where('server', '=', server)
        .orderBy('approved')
        .orderBy('digest')
        .execute()
      if (rows.length === 0) return undefined
      // The last approval of a tool is the one that counts.
      const pins = new Map(rows.map(({ tool, digest, approved_by: by }) => [tool, { digest, by }]))
      pins.delete(firstListing)
      return pins
    },
    async firstListed(server) {
      const mark = await database
        .selectFrom('tool_pins')
        .select('definition')
        .where('server', '=', server)
        .where('tool', '=', firstListing)
        .executeTakeFirst()
      return mark === undefined ? undefined : Number(mark.definition)
    },
    pinFirst(server, listed, at, by) {
      return database.transaction().execute(async (transaction) => {
        const approval = { server, digest: '', definition: '', approved: at, approved_by: by }
        // At no time of its own, so that there is one; when it was is told beside.
        const made = await transaction
          .insertInto('tool_pins')
          .values({ ...approval, tool: firstListing, approved: 0, definition: String(at) })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst()
        if ((made.numInsertedOrUpdatedRows ?? 0n) === 0n) return false
        for (const some of chunks(listed))
          await transaction
            .insertInto('tool_pins')
            .values(some.map(({ tool, digest, definition }) => ({ ...approval, tool, digest, definition })))
            .execute()
        return true
      })
    },
    hold(server, listed, at) {
      return database.transaction().execute(async (transaction) => {
        const before = await transaction.selectFrom('held_tools').select(['tool', 'digest', 'seen']).where('server', '=', server).execute()
        const since = new Map(before.map(({ tool, digest, seen }) => [`${digest} ${tool}`, seen]))
        await transaction.deleteFrom('held_tools').where('server', '=', server).execute()
        for (const some of chunks(listed))
          await transaction
            .insertInto('held_tools')
            .values(some.map((one) => ({ server, ...one, seen: since.get(`${one.digest} ${one.tool}`) ?? at })))
            .onConflict((conflict) => conflict.doNothing())
            .execute()
      })
    },
    async heldDigests(server) {
      const rows = await database.selectFrom('held_tools').select('digest').where('server', '=', server).execute()
      return new Set(rows.map(({ digest }) => digest))
    },
    async lastApproval(server) {
      return latest(database, server)
    },
    held() {
      return database.selectFrom('held_tools').selectAll().orderBy('server').orderBy('tool').execute()
    },
    approveHeld({ server, tool, digest }, at, by) {
      return database.transaction().execute(async (transaction) => {
        const held = await transaction
          .deleteFrom('held_tools')
          .where('server', '=', server)
          .where('tool', '=', tool)
          .where('digest', '=', digest)
          .returning('definition')
          .executeTakeFirst()
        if (held === undefined) return false
        await insertApproval(transaction, { server, tool, digest, definition: held.definition, approved: at, by })
        return true
      })
    },
    approve(approval) {
      return insertApproval(database, approval)
    },
    async approvals() {
      const rows = await database.selectFrom('tool_pins').selectAll().orderBy('approved').orderBy('server').orderBy('tool').execute()
      return rows.map(({ approved_by: by, ...row }) => ({ ...row, by }))
    },
    adopt(approvals) {
      return database.transaction().execute(async (transaction) => {
        let adopted = 0
        for (const some of chunks(approvals)) {
          const { numInsertedOrUpdatedRows: inserted } = await transaction
            .insertInto('tool_pins')
            .values(some.map(({ by, ...approval }) => ({ ...approval, approved_by: by })))
            .onConflict((conflict) => conflict.doNothing())
            .executeTakeFirst()
          adopted += Number(inserted ?? 0n)
        }
        return adopted
      })
    },
  }
}

async function latest(database: Kysely<StoreTables>, server: string): Promise<number> {
  const row = await database
    .selectFrom('tool_pins')
    .select((expression) => expression.fn.max('approved').as('approved'))
    .where('server', '=', server)
    .executeTakeFirst()
  return Number(row?.approved ?? 0)
}

/** Later than every other approval of the server: the last one counts, also where the clocks of two machines differ. */
async function insertApproval(database: Kysely<StoreTables>, { by, approved, ...approval }: Approval): Promise<void> {
  const after = await latest(database, approval.server)
  await database
    .insertInto('tool_pins')
    .values({ ...approval, approved: Math.max(approved, after + 1), approved_by: by })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

function chunks<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / chunkSize) }, (_, index) => all.slice(index * chunkSize, (index + 1) * chunkSize))
}
