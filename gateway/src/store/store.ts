/**
 * The store: keys, people, revocations, listings, pins, restarts, settings, files, batches, approvals, revisions of the configuration, labels of what tools keep, summaries of the decision log, and the entries of a state that is kept in memory. One table per aggregate, in one
 * SQLite file or in a PostgreSQL that replicas share; nobody above writes SQL, or knows which of the two it is.
 */
import type { ActTable } from './acts.ts'
import type { AccountTable } from './accounts.ts'
import type { ApprovalTable } from './approvals.ts'
import type { BatchTable } from './batches.ts'
import type { ConfigRevisionTable } from './config-revisions.ts'
import type { EntryTable } from './entries.ts'
import type { FileTable } from './files.ts'
import type { KeyTable } from './keys.ts'
import type { ListingTable } from './listings.ts'
import type { NotedMarkTable } from './noted-marks.ts'
import type { OAuthKeyTable } from './oauth-keys.ts'
import type { PinTable } from './pins.ts'
import type { DirectoryTable } from './directories.ts'
import type { PeopleTable } from './people.ts'
import type { RememberedTable } from './remembered.ts'
import type { RestartTable } from './restarts.ts'
import type { RevocationTable } from './revocations.ts'
import type { PostgresStorePlace } from './postgres/postgres-store.ts'
import type { SealedSecretTable } from './sealed-secrets.ts'
import type { SqliteStorePlace } from './sqlite-store.ts'
import type { StopTable } from './stops.ts'
import type { SummaryTable } from './summaries/summaries.ts'

export interface Store {
  readonly keys: KeyTable
  readonly accounts: AccountTable
  readonly acts: ActTable
  readonly entries: EntryTable
  readonly listings: ListingTable
  readonly pins: PinTable
  readonly restarts: RestartTable
  readonly notedMarks: NotedMarkTable
  readonly secrets: SealedSecretTable
  readonly files: FileTable
  readonly batches: BatchTable
  readonly approvals: ApprovalTable
  readonly people: PeopleTable
  readonly directories: DirectoryTable
  readonly revocations: RevocationTable
  readonly stops: StopTable
  readonly configRevisions: ConfigRevisionTable
  readonly remembered: RememberedTable
  readonly oauthKeys: OAuthKeyTable
  readonly summaries: SummaryTable
  /** 32 random bytes, the same for the life of an installation and at all its replicas. For keyed hashes; never shown. */
  readonly secret: Buffer
  /** Why the store cannot be used at the moment; undefined while it can. */
  health(): string | undefined
  /** Finishes what is in flight and closes the database. */
  close(): Promise<void>
}

/** Where a store is. */
export type StorePlace = SqliteStorePlace | PostgresStorePlace

/** Opens the store, making folder, file and tables on first use. Rejects with `store.failed`. */
export async function openStore(place: StorePlace): Promise<Store> {
  if (place.kind === 'sqlite') return (await import('./sqlite-store.ts')).openSqliteStore(place)
  return (await import('./postgres/postgres-store.ts')).openPostgresStore(place)
}
