/** Who counts before adding takes turns with others that do the same: PostgreSQL would let both count first. */
import { sql, type Transaction } from 'kysely'
import type { StoreKind } from './migrations.ts'
import type { StoreTables } from './tables.ts'

/** Until the transaction ends nobody else has its turn under this name. SQLite has one transaction at a time. */
export async function takeTurns(transaction: Transaction<StoreTables>, kind: StoreKind, name: string): Promise<void> {
  if (kind === 'postgres') await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(transaction)
}
