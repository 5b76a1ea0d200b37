/** The gateways whose configurations can be taken over: one line for each. */
import { apisix } from '../apisix/apisix.ts'
import type { Importer } from './importer.ts'
import { kong } from '../kong/kong.ts'
import { litellm } from '../litellm/litellm.ts'

const table = { litellm, kong, apisix } as const satisfies Readonly<Record<string, Importer>>

export type ImporterId = keyof typeof table

export const importers: Readonly<Record<ImporterId, Importer>> = table

export const importerIds: readonly ImporterId[] = Object.keys(table).filter(isImporterId)

/** Whether the text names a gateway of the table. */
export function isImporterId(text: string): text is ImporterId {
  return Object.hasOwn(table, text)
}
