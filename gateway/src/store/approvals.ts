/**
 * Calls that wait for a person, and what became of them. What a call is, and who ruled on it, comes here sealed; every change is
 * made on the version that was read, so that of two that exclude each other one finds that the other came first.
 */
import { sql, type Kysely, type Selectable } from 'kysely'
import type { StoreKind } from './migrations.ts'
import type { ApprovalsTable, StoreTables } from './tables.ts'
import { takeTurns } from './taking-turns.ts'

/**
 * `pending`: nobody has ruled, or not enough have. `used`: a call has been let go on it and may go one step on (`usedBy`). `run`:
 * that step was taken. `expired`: it came to nothing in time.
 */
export type ApprovalStatus = 'pending' | 'approved' | 'denied' | 'used' | 'run' | 'expired'

export interface StoredApproval {
  readonly id: string
  /** Keyed hash of the call that it is for: whoever makes the same call finds it. */
  readonly match: string
  /** Keyed hashes of principal and session. */
  readonly owner: string
  readonly session: string
  /** Sealed; never changes. */
  readonly facts: string
  /** Sealed; null while nobody has ruled. */
  readonly rulings: string | null
  readonly status: ApprovalStatus
  /** Keyed hash of the call that runs on it. */
  readonly usedBy: string | null
  readonly version: number
  /** Unix milliseconds. */
  readonly created: number
  readonly expires: number
}

/** What a change may change. */
export type ApprovalChange = Partial<Pick<StoredApproval, 'rulings' | 'status' | 'usedBy'>>

/** How many may wait at a time. */
export interface ApprovalBounds {
  readonly principal: number
  readonly session: number
}

export interface ApprovalTable {
  /** Adds one that waits, unless the same call waits already: then it is that one. Undefined when too many wait. */
  ask(approval: StoredApproval, most: ApprovalBounds): Promise<StoredApproval | undefined>
  find(id: string): Promise<StoredApproval | undefined>
  /** The newest one of a call that has not expired by then. */
  ofCall(match: string, now: number): Promise<StoredApproval | undefined>
  /** The one that a call may go one step on with. */
  usedBy(call: string): Promise<StoredApproval | undefined>
  /** Changes one as long as it is still as it was read. False when it is not. */
  change(read: Pick<StoredApproval, 'id' | 'version'>, change: ApprovalChange): Promise<boolean>
  /** Newest first, those before this one (`created`, `id`). `status`: only such. */
  list(filter: {
    readonly status?: ApprovalStatus | undefined
    readonly before?: Pick<StoredApproval, 'created' | 'id'> | undefined
    readonly most: number
  }): Promise<StoredApproval[]>
  /** Those that were to come to something by now and have not. */
  due(now: number, most: number): Promise<StoredApproval[]>
  /** Forgets what is long over. */
  purge(before: number): Promise<void>
}

/** Every call rejects with `store.failed` when the database cannot be used. */
export function approvalTable(database: Kysely<StoreTables>, kind: StoreKind): ApprovalTable {
  return {
    async ask({ usedBy, ...approval }, most) {
      return database.transaction().execute(async (transaction) => {
        await takeTurns(transaction, kind, approval.owner)
        const waiting = await transaction
          .selectFrom('approvals')
          .selectAll()
          .where('match', '=', approval.match)
          .where('status', '=', 'pending')
          .where('expires', '>', approval.created)
          .executeTakeFirst()
        if (waiting !== undefined) return fromRow(waiting)
        const { principal, session } = await transaction
          .selectFrom('approvals')
          .select([
            sql<number>`count(*)`.as('principal'),
            sql<number>`sum(case when session = ${approval.session} then 1 else 0 end)`.as('session'),
          ])
          .where('owner', '=', approval.owner)
          .where('status', '=', 'pending')
          .where('expires', '>', approval.created)
          .executeTakeFirstOrThrow()
        if (Number(principal) >= most.principal || Number(session) >= most.session) return undefined
        await transaction
          .insertInto('approvals')
          .values({ ...approval, used_by: usedBy })
          .execute()
        return { ...approval, usedBy }
      })
    },
    async find(id) {
      const row = await database.selectFrom('approvals').selectAll().where('id', '=', id).executeTakeFirst()
      return row === undefined ? undefined : fromRow(row)
    },
    async ofCall(match, now) {
      const row = await database
        .selectFrom('approvals')
        .selectAll()
        .where('match', '=', match)
        .where('expires', '>', now)
        .orderBy('created', 'desc')
        .orderBy('id', 'desc')
        .executeTakeFirst()
      return row === undefined ? undefined : fromRow(row)
    },
    async usedBy(call) {
      const row = await database
        .selectFrom('approvals')
        .selectAll()
        .where('used_by', '=', call)
        .where('status', '=', 'used')
        .executeTakeFirst()
      return row === undefined ? undefined : fromRow(row)
    },
    async change({ id, version }, { usedBy, ...change }) {
      const { numUpdatedRows } = await database
        .updateTable('approvals')
        .set({ ...change, ...(usedBy === undefined ? {} : { used_by: usedBy }), version: version + 1 })
        .where('id', '=', id)
        .where('version', '=', version)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },
    async list({ status, before, most }) {
      let query = database.selectFrom('approvals').selectAll()
      if (status !== undefined) query = query.where('status', '=', status)
      if (before !== undefined)
        query = query.where((where) =>
          where.or([
            where('created', '<', before.created),
            where.and([where('created', '=', before.created), where('id', '<', before.id)]),
          ]),
        )
      const rows = await query.orderBy('created', 'desc').orderBy('id', 'desc').limit(most).execute()
      return rows.map(fromRow)
    },
    async due(now, most) {
      const rows = await database
        .selectFrom('approvals')
        .selectAll()
        .where('status', 'in', ['pending', 'approved'])
        .where('expires', '<=', now)
        .limit(most)
        .execute()
      return rows.map(fromRow)
    },
    async purge(before) {
      await database.deleteFrom('approvals').where('expires', '<=', before).execute()
    },
  }
}

function fromRow({ used_by: usedBy, status, ...row }: Selectable<ApprovalsTable>): StoredApproval {
  return { ...row, status: status as ApprovalStatus, usedBy }
}
