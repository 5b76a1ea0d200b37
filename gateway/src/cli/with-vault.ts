/** The vault of a configuration, opened for one verb and closed behind it. */
import { loadConfig } from '../config/load.ts'
import type { Snapshot } from '../config/snapshot.ts'
import { vaultOf } from '../identity/vault/opening-vault.ts'
import type { Vault } from '../identity/vault/vault.ts'
import { openStore, type Store } from '../store/store.ts'
import { openingSettingsOf, storePlaceOf } from './places.ts'

/** Rejects with ConfigError, `store.failed`, or what `work` rejects with. */
export async function withVault(
  configPath: string,
  work: (vault: Vault, snapshot: Snapshot, store: Store) => Promise<void>,
): Promise<void> {
  const snapshot = await loadConfig(configPath, process.env)
  const store = await openStore(storePlaceOf(openingSettingsOf(snapshot)))
  try {
    await work(
      vaultOf(store, () => snapshot),
      snapshot,
      store,
    )
  } finally {
    await store.close()
  }
}
