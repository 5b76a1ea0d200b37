/** The store that replicas share: PostgreSQL. What it keeps secret is sealed under `cluster.secret`. */
import { randomBytes } from 'node:crypto'
import { Kysely, PostgresDialect, type PostgresPool } from 'kysely'
import { TurnwardError } from '../../core/error.ts'
import { accountTable } from '../accounts.ts'
import { approvalTable } from '../approvals.ts'
import { batchTable } from '../batches.ts'
import { configRevisionTable } from '../config-revisions.ts'
import { fileTable } from '../files.ts'
import { keyTable } from '../keys.ts'
import { listingTable } from '../listings.ts'
import { migrate } from '../migrations.ts'
import { pinTable } from '../pins.ts'
import { directoryTable } from '../directories.ts'
import { peopleTable } from '../people.ts'
import { rememberedTable } from '../remembered.ts'
import { restartTable } from '../restarts.ts'
import { revocationTable } from '../revocations.ts'
import { actTable } from '../acts.ts'
import { stopTable } from '../stops.ts'
import { summaryTable } from '../summaries/summaries.ts'
import { notedMarkTable } from '../noted-marks.ts'
import { sealedSecretTable } from '../sealed-secrets.ts'
import { oauthKeyTable } from '../oauth-keys.ts'
import type { Store } from '../store.ts'
import type { StoreTables } from '../tables.ts'
import { shownPlace, type PostgresPlace } from './connecting.ts'
import { postgresEntries } from './entries.ts'
import { PostgresConnections } from './pool.ts'
import { readServerFacts, type ServerFacts } from './server-facts.ts'
import { sharedSecret, type ClusterSecrets } from './shared-secrets.ts'

export interface PostgresStorePlace {
  readonly kind: 'postgres'
  readonly database: PostgresPlace
  /** Most connections at a time. */
  readonly pool: number
  readonly secrets: ClusterSecrets
  /** Secrets the installation must have, by name: those of one that is moved here. */
  readonly adopt?: ReadonlyMap<string, Buffer>
}

/** A store with what only PostgreSQL has. */
export interface PostgresStore extends Store {
  /** A secret of the installation by its name, made now when there is none. Rejects with `store.failed`. */
  sharedSecret(name: string, make: () => Uint8Array): Promise<Buffer>
  /** What the server is like. Rejects with `store.failed`. */
  serverFacts(): Promise<ServerFacts>
}

/** The name the secret of keyed hashes is kept under. */
export const hashSecretName = 'secret'
const secretBytes = 32
/** `string_to_table`, which the decision log uses. */
const oldestVersion = 14

/** Connects, and brings the schema up to date. Rejects with `store.failed`. */
export async function openPostgresStore({ database: place, pool, secrets, adopt = new Map() }: PostgresStorePlace): Promise<PostgresStore> {
  const connections = new PostgresConnections(place, pool)
  const database = new Kysely<StoreTables>({ dialect: new PostgresDialect({ pool: connections as unknown as PostgresPool }) })
  const sealed = (name: string, make: () => Uint8Array): Promise<Buffer> => sharedSecret(connections, secrets, name, make)
  try {
    const [server] = await connections.query<{ version: number }>(`select current_setting('server_version_num')::int / 10000 as version`)
    if (server === undefined || server.version < oldestVersion)
      throw new TurnwardError('store.failed', {
        subject: shownPlace(place),
        why: `the server is PostgreSQL ${server?.version}, and ${oldestVersion} is the oldest that works`,
      })
    await migrate(database, 'postgres')
    for (const [name, content] of adopt) {
      if ((await sealed(name, () => content)).equals(content)) continue
      throw new TurnwardError('store.failed', {
        subject: shownPlace(place),
        why: 'another installation is kept here already',
        fix: 'Use an empty database.',
      })
    }
    const secret = await sealed(hashSecretName, () => randomBytes(secretBytes))
    return {
      accounts: accountTable(database),
      keys: keyTable(database),
      entries: postgresEntries(connections),
      listings: listingTable(database),
      pins: pinTable(database),
      restarts: restartTable(database),
      notedMarks: notedMarkTable(database),
      secrets: sealedSecretTable(database),
      files: fileTable(database, 'postgres'),
      batches: batchTable(database, 'postgres'),
      approvals: approvalTable(database, 'postgres'),
      people: peopleTable(database),
      directories: directoryTable(database),
      revocations: revocationTable(database),
      acts: actTable(database),
      stops: stopTable(database),
      configRevisions: configRevisionTable(database),
      remembered: rememberedTable(database),
      oauthKeys: oauthKeyTable(database),
      summaries: summaryTable(database),
      secret,
      sharedSecret: sealed,
      serverFacts: () => readServerFacts(connections),
      health: () => connections.failure?.why,
      close: () => connections.end(),
    }
  } catch (error) {
    await connections.end()
    throw error
  }
}
