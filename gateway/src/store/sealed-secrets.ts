/**
 * Secrets of people, groups and the installation, as the vault has sealed them. Nothing here can read one; what it can do is
 * change one only as long as it is still the one that was read.
 */
import type { Kysely, Selectable } from 'kysely'
import type { SealedSecretsTable, StoreTables } from './tables.ts'

/** Where a secret belongs. Two that differ in any part have nothing to do with each other. */
export interface SecretPlace {
  /** What it is for: `provider`, `link`, … */
  readonly kind: string
  /** Id of a principal, `group:NAME`, or empty for the installation. */
  readonly owner: string
  readonly name: string
}

export interface SealedSecret extends SecretPlace {
  readonly id: string
  /** Of each change one more, from 1. */
  readonly version: number
  /** The data key, sealed. */
  readonly dataKey: string
  /** What the data key is sealed with, by its id. */
  readonly sealedWith: string
  readonly content: string
  /** Unix milliseconds. */
  readonly created: number
  readonly changed: number
  readonly expires: number | null
}

export interface SecretFilter {
  readonly kind?: string | undefined
  readonly owner?: string | undefined
}

export interface SealedSecretTable {
  find(place: SecretPlace): Promise<SealedSecret | undefined>
  /** Writes a secret whose version follows `before`, the one that is there; 0 for none. False when another one is there. */
  write(secret: SealedSecret, before: number): Promise<boolean>
  /** Whether there was one. */
  remove(place: SecretPlace): Promise<boolean>
  /** Changes when anything of a kind does: cheap to ask for. */
  mark(kind: string): Promise<string>
  /** Everything of an owner or a kind, in the order of kind, owner and name. */
  list(filter: SecretFilter): Promise<SealedSecret[]>
}

/** The table of sealed secrets. Every call rejects with `store.failed` when the database cannot be used. */
export function sealedSecretTable(database: Kysely<StoreTables>): SealedSecretTable {
  return {
    async find({ kind, owner, name }) {
      const row = await database
        .selectFrom('sealed_secrets')
        .selectAll()
        .where('kind', '=', kind)
        .where('owner', '=', owner)
        .where('name', '=', name)
        .executeTakeFirst()
      return row === undefined ? undefined : fromRow(row)
    },
    async write({ dataKey, sealedWith, ...secret }, before) {
      const row = { ...secret, data_key: dataKey, sealed_with: sealedWith }
      if (before === 0) {
        const made = await database
          .insertInto('sealed_secrets')
          .values(row)
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst()
        return (made.numInsertedOrUpdatedRows ?? 0n) > 0n
      }
      const changed = await database
        .updateTable('sealed_secrets')
        .set(row)
        .where('kind', '=', secret.kind)
        .where('owner', '=', secret.owner)
        .where('name', '=', secret.name)
        .where('version', '=', before)
        .executeTakeFirst()
      return changed.numUpdatedRows > 0n
    },
    async remove({ kind, owner, name }) {
      const gone = await database
        .deleteFrom('sealed_secrets')
        .where('kind', '=', kind)
        .where('owner', '=', owner)
        .where('name', '=', name)
        .executeTakeFirst()
      return gone.numDeletedRows > 0n
    },
    async mark(kind) {
      const row = await database
        .selectFrom('sealed_secrets')
        .select(({ fn }) => [fn.countAll().as('count'), fn.sum('version').as('versions'), fn.max('changed').as('changed')])
        .where('kind', '=', kind)
        .executeTakeFirst()
      return `${String(row?.count ?? 0)} ${String(row?.versions ?? 0)} ${String(row?.changed ?? 0)}`
    },
    async list({ kind, owner }) {
      let query = database.selectFrom('sealed_secrets').selectAll()
      if (kind !== undefined) query = query.where('kind', '=', kind)
      if (owner !== undefined) query = query.where('owner', '=', owner)
      const rows = await query.orderBy('kind').orderBy('owner').orderBy('name').execute()
      return rows.map(fromRow)
    },
  }
}

function fromRow({ data_key: dataKey, sealed_with: sealedWith, ...row }: Selectable<SealedSecretsTable>): SealedSecret {
  return { ...row, dataKey, sealedWith }
}
