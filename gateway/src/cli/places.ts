/** From the settings to the places where everything is kept. The one file that knows which setting means which place. */
import { readOpeningSettings, type OpeningSettings } from '../config/opening-settings.ts'
import type { Snapshot } from '../config/snapshot.ts'
import { postgresPlace } from '../store/postgres/connecting.ts'
import type { StorePlace } from '../store/store.ts'

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
