/** Where objects that were made over the administration API are kept, as the configuration needs to know it. */
import type { ManagedObjects } from './managed-objects.ts'

export interface ManagedRevision {
  /** From 1. */
  readonly revision: number
  readonly objects: ManagedObjects
}

export interface ManagedRevisions {
  /** The newest; undefined when nothing was ever made. Rejects with `store.failed`. */
  newest(): Promise<ManagedRevision | undefined>
}
