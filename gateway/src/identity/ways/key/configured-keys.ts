/** Keys declared in the configuration file, found by digest. Made once per snapshot. */
import { sha256 } from '../../../core/hash.ts'
import type { ConfiguredKey, Snapshot } from '../../../config/snapshot.ts'

/** Digest of the key -> the key; null where two keys of the file share one secret: whom it means is not known. */
export type ConfiguredKeys = ReadonlyMap<string, ConfiguredKey | null>

const bySnapshot = new WeakMap<Snapshot, ConfiguredKeys>()

/** The keys of a snapshot by the SHA-256 of their secret. */
export function configuredKeys(snapshot: Snapshot): ConfiguredKeys {
  let keys = bySnapshot.get(snapshot)
  if (keys === undefined) {
    keys = digestAll(snapshot)
    bySnapshot.set(snapshot, keys)
  }
  return keys
}

function digestAll(snapshot: Snapshot): ConfiguredKeys {
  const keys = new Map<string, ConfiguredKey | null>()
  for (const key of snapshot.keys.values()) {
    const digest = sha256(key.secret)
    keys.set(digest, keys.has(digest) ? null : key)
  }
  return keys
}
