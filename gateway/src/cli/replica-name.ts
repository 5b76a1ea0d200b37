/** What a replica is called. */
import { hostname } from 'node:os'
import type { OpeningSettings } from '../config/opening-settings.ts'

/** The name of this replica: as configured, else that of the host. */
export function replicaName({ cluster }: Pick<OpeningSettings, 'cluster'>): string {
  return cluster?.replica ?? hostname().slice(0, 63)
}
