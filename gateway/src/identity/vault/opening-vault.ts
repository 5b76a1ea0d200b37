/** The vault of an installation: what its store has sealed, under the keys of the configuration as it is now. */
import type { Snapshot } from '../../config/snapshot.ts'
import { systemClock } from '../../core/clock.ts'
import type { Store } from '../../store/store.ts'
import { sealingKeys, type SealingKeys } from './sealing-keys.ts'
import { createVault, type Vault } from './vault.ts'

export function vaultOf({ secrets, secret }: Pick<Store, 'secrets' | 'secret'>, snapshot: () => Pick<Snapshot, 'identity'>): Vault {
  const made = new WeakMap<object, SealingKeys>()
  const keys = (): SealingKeys => {
    const { identity } = snapshot()
    let known = made.get(identity)
    if (known === undefined) {
      known = sealingKeys(identity.vault, secret)
      made.set(identity, known)
    }
    return known
  }
  return createVault({ secrets, keys, clock: systemClock })
}
