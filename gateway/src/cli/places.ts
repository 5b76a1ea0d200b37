/** From the settings to the places where everything is kept. The one file that knows which setting means which place. */
import { createPublicKey } from 'node:crypto'
import { resolve } from 'node:path'
import { readOpeningSettings, type OpeningSettings } from '../config/opening-settings.ts'
import type { Snapshot } from '../config/snapshot.ts'
import { postgresPlace } from '../store/postgres/connecting.ts'
import { makePrivateKey } from '../audit/checkpoint.ts'
import type { LogPlace, ReadingPlace } from '../audit/log-place.ts'
import type { PostgresStore, PostgresStorePlace } from '../store/postgres/postgres-store.ts'
import { openStore, type Store, type StorePlace } from '../store/store.ts'
import { replicaName } from './replica-name.ts'

export interface DataDirOptions {
  readonly config: string
  /** A data folder named directly, such as a copy of a log. */
  readonly dataDir?: string | undefined
}

/** What of a running configuration says where things are kept. */
export function openingSettingsOf({ dataDir, settings }: Pick<Snapshot, 'dataDir' | 'settings'>): OpeningSettings {
  const { store, state, cluster, workers } = settings
  return { dataDir, store, state, cluster, workers }
}

/** The store of a configuration file. Throws ConfigError. */
export async function storePlaceAt(configPath: string): Promise<StorePlace> {
  return storePlaceOf(await readOpeningSettings(configPath, process.env))
}

export function storePlaceOf({ dataDir, store, cluster }: Pick<OpeningSettings, 'dataDir' | 'store' | 'cluster'>): StorePlace {
  if (store.kind === 'sqlite') return { kind: 'sqlite', dataDir }
  return {
    kind: 'postgres',
    database: postgresPlace(store),
    pool: store.pool,
    // A configuration with `postgres` and without `cluster` does not compile.
    secrets: { current: cluster?.secret ?? '', previous: cluster?.previous_secrets ?? [] },
  }
}

/** The name the key that signs checkpoints is kept under, sealed. */
export const checkpointKeyName = 'checkpoint key'

/** The store, and the place of the decision log, which is beside it. `open`: the store, where somebody has opened it. Rejects with `store.failed`. */
export async function openStoreAndLogPlace(
  settings: Pick<OpeningSettings, 'dataDir' | 'store' | 'cluster'>,
  worker: number,
  open?: Store,
): Promise<{ readonly store: Store; readonly log: LogPlace }> {
  const place = storePlaceOf(settings)
  const { dataDir } = settings
  if (place.kind === 'sqlite') return { store: open ?? (await openStore(place)), log: { kind: 'sqlite', dataDir } }
  // One that is open already is of the same settings.
  const store = (open as PostgresStore | undefined) ?? (await openShared(place))
  try {
    const privateKey = (await signingKeyIn(store)).toString()
    return { store, log: { kind: 'postgres', database: place.database, dataDir, privateKey, replica: replicaName(settings), worker } }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Where a verb reads the decision log of a configuration, or of a folder that is named directly. */
export async function logPlaceAt(options: DataDirOptions): Promise<ReadingPlace> {
  if (options.dataDir !== undefined) return { kind: 'sqlite', dataDir: resolve(options.dataDir) }
  return readingPlaceOf(await readOpeningSettings(options.config, process.env))
}

export function readingPlaceOf({ dataDir, store }: Pick<OpeningSettings, 'dataDir' | 'store'>): ReadingPlace {
  return store.kind === 'sqlite' ? { kind: 'sqlite', dataDir } : { kind: 'postgres', database: postgresPlace(store), dataDir }
}

/** The public key (SPKI PEM) that checkpoints of a configuration's log are verified with, where the database has it; undefined for a folder, which has it beside the log. */
export async function publicKeyAt(options: DataDirOptions): Promise<string | undefined> {
  const place = options.dataDir === undefined ? await storePlaceAt(options.config) : undefined
  if (place?.kind !== 'postgres') return undefined
  const store = await openShared(place)
  try {
    return createPublicKey(await signingKeyIn(store))
      .export({ type: 'spki', format: 'pem' })
      .toString()
  } finally {
    await store.close()
  }
}

async function openShared(place: PostgresStorePlace): Promise<PostgresStore> {
  const { openPostgresStore } = await import('../store/postgres/postgres-store.ts')
  return openPostgresStore(place)
}

function signingKeyIn(store: PostgresStore): Promise<Buffer> {
  return store.sharedSecret(checkpointKeyName, makePrivateKey)
}
