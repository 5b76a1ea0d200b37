/**
 * What is no longer good though it has not expired: people that were shut out, keys, tokens and sessions. Every process looks
 * here each second, so that what was revoked at one is cut at all.
 */
import type { Kysely } from 'kysely'
import type { StoreTables } from './tables.ts'

export type RevokedKind = 'person' | 'key' | 'token' | 'session'

export interface Revocation {
  readonly kind: RevokedKind
  readonly id: string
  /** Unix milliseconds; of two revocations the later one has the greater, whatever the clocks say. */
  readonly at: number
  /** Unix milliseconds after which nothing that it is about can be valid any more. */
  readonly until: number
}

export interface RevocationTable {
  /** Revokes. Resolves with when that counts as done. */
  add(revocation: Revocation): Promise<number>
  /** What was revoked after this moment and matters still, oldest first. */
  since(at: number, now: number): Promise<Revocation[]>
  /** Forgets what does not matter any more. */
  sweep(now: number): Promise<void>
}

/** The table of revocations. Every call rejects with `store.failed` when the database cannot be used. */
export function revocationTable(database: Kysely<StoreTables>): RevocationTable {
  return {
    add: (revocation) => database.transaction().execute((transaction) => writeRevocation(transaction, revocation)),
    async since(at, now) {
      const rows = await database
        .selectFrom('revocations')
        .selectAll()
        .where('at', '>', at)
        .where('until', '>', now)
        .orderBy('at')
        .orderBy('kind')
        .orderBy('id')
        .execute()
      return rows.map((row) => ({ ...row, kind: row.kind as RevokedKind, at: Number(row.at), until: Number(row.until) }))
    },
    async sweep(now) {
      await database.deleteFrom('revocations').where('until', '<=', now).execute()
    },
  }
}

/** Writes a revocation within what else is written. Resolves with when it counts as done. */
export async function writeRevocation(transaction: Kysely<StoreTables>, { kind, id, at, until }: Revocation): Promise<number> {
  const row = await transaction
    .selectFrom('revocations')
    .select((expression) => expression.fn.max('at').as('at'))
    .executeTakeFirst()
  const written = Math.max(at, Number(row?.at ?? 0) + 1)
  await transaction
    .insertInto('revocations')
    .values({ kind, id, at: written, until })
    .onConflict((conflict) =>
      conflict.columns(['kind', 'id']).doUpdateSet((expression) => ({
        at: written,
        until: expression.case().when('revocations.until', '>', until).then(expression.ref('revocations.until')).else(until).end(),
      })),
    )
    .execute()
  return written
}
