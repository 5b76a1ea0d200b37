/**
 * Restarts of MCP servers that an administrator has asked for, and what every process has made of them. They stay as the
 * record of who has asked for what.
 */
import type { Kysely } from 'kysely'
import type { StoreTables } from './tables.ts'

export interface Restart {
  readonly id: string
  readonly server: string
  /** Unix milliseconds; of two requests the later one has the greater, whatever the clocks say. */
  readonly asked: number
  readonly by: string
}

export interface RestartOutcome {
  /** The process, for people. */
  readonly process: string
  /** Undefined while it is at it. */
  readonly outcome: string | undefined
}

export interface RestartTable {
  /** Asks for a restart. Resolves with when that counts as asked. */
  ask(restart: Restart): Promise<number>
  /** Takes back what nobody has begun. False when somebody has. */
  withdraw(id: string): Promise<boolean>
  /** When the last one was asked for; 0 when none was. */
  last(): Promise<number>
  /** What was asked for after this moment, oldest first. */
  since(asked: number): Promise<Restart[]>
  /** Says that a process begins with it. False when it was taken back, or the process has begun before. */
  begin(id: string, process: string): Promise<boolean>
  end(id: string, process: string, outcome: string): Promise<void>
  /** What processes have made of it so far. */
  outcomes(id: string): Promise<RestartOutcome[]>
}

/** How many are kept, as a record. */
const mostKept = 200

/** The table of restarts. Every call rejects with `store.failed` when the database cannot be used. */
export function restartTable(database: Kysely<StoreTables>): RestartTable {
  const last = async (within: Kysely<StoreTables>): Promise<number> => {
    const row = await within
      .selectFrom('server_restarts')
      .select((expression) => expression.fn.max('asked').as('asked'))
      .executeTakeFirst()
    return Number(row?.asked ?? 0)
  }
  return {
    ask({ id, server, asked, by }) {
      return database.transaction().execute(async (transaction) => {
        const at = Math.max(asked, (await last(transaction)) + 1)
        await transaction.insertInto('server_restarts').values({ id, server, asked: at, asked_by: by }).execute()
        const oldest = await transaction
          .selectFrom('server_restarts')
          .select('asked')
          .orderBy('asked', 'desc')
          .offset(mostKept)
          .limit(1)
          .executeTakeFirst()
        if (oldest !== undefined) {
          const gone = transaction.selectFrom('server_restarts').select('id').where('asked', '<=', oldest.asked)
          await transaction.deleteFrom('restart_outcomes').where('restart', 'in', gone).execute()
          await transaction.deleteFrom('server_restarts').where('asked', '<=', oldest.asked).execute()
        }
        return at
      })
    },
    withdraw(id) {
      return database.transaction().execute(async (transaction) => {
        const begun = await transaction.selectFrom('restart_outcomes').select('process').where('restart', '=', id).executeTakeFirst()
        if (begun !== undefined) return false
        await transaction.deleteFrom('server_restarts').where('id', '=', id).execute()
        return true
      })
    },
    last: () => last(database),
    async since(asked) {
      const rows = await database.selectFrom('server_restarts').selectAll().where('asked', '>', asked).orderBy('asked').execute()
      return rows.map(({ asked_by: by, ...row }) => ({ ...row, by }))
    },
    begin(id, process) {
      return database.transaction().execute(async (transaction) => {
        const asked = await transaction.selectFrom('server_restarts').select('id').where('id', '=', id).executeTakeFirst()
        if (asked === undefined) return false
        const made = await transaction
          .insertInto('restart_outcomes')
          .values({ restart: id, process, outcome: null })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst()
        return (made.numInsertedOrUpdatedRows ?? 0n) > 0n
      })
    },
    async end(id, process, outcome) {
      await database.updateTable('restart_outcomes').set({ outcome }).where('restart', '=', id).where('process', '=', process).execute()
    },
    async outcomes(id) {
      const rows = await database
        .selectFrom('restart_outcomes')
        .select(['process', 'outcome'])
        .where('restart', '=', id)
        .orderBy('process')
        .execute()
      return rows.map(({ process, outcome }) => ({ process, outcome: outcome ?? undefined }))
    },
  }
}
