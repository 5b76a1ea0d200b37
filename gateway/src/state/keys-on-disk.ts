/**
 * Which keys may have a value on disk that is not in memory. It is sure of those that have none: most that are asked for are
 * new, and the disk need not be asked for them. Small, however many there are; the more, the more often the disk is asked in vain.
 */
import type { StateEntries } from './state-entries.ts'
import { onDemandNamespaces } from './state-store.ts'

const bits = 1 << 23

const onDemand: ReadonlySet<string> = new Set(onDemandNamespaces)

/** Whether values of a namespace stay on disk until somebody asks. */
export function isOnDemand(namespace: string): boolean {
  return onDemand.has(namespace)
}

export class KeysOnDisk {
  readonly #bits = new Uint8Array(bits >> 3)

  /** Learns what is there. Rejects as the entries do. */
  async load(entries: StateEntries, now: number): Promise<void> {
    for (const namespace of onDemandNamespaces)
      for await (const keys of entries.keys(namespace, now)) for (const key of keys) this.note(key)
  }

  note(key: string): void {
    const at = placeOf(key)
    this.#bits[at >> 3] = (this.#bits[at >> 3] ?? 0) | (1 << (at & 7))
  }

  mayHold(key: string): boolean {
    const at = placeOf(key)
    return ((this.#bits[at >> 3] ?? 0) & (1 << (at & 7))) !== 0
  }
}

/** FNV-1a. Keys are hashes themselves. */
function placeOf(key: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  return (hash ^ (hash >>> 15)) & (bits - 1)
}
