/** Something of a server as the engine sees it. */
import { gatewayServer } from '../../core/tool-names.ts'
import type { ToolSubject } from '../../policy/types.ts'
import type { CatalogueEntry } from '../../tools/catalogue.ts'

export function subjectOf({ name, server, hints, reading }: CatalogueEntry): ToolSubject {
  if (server === gatewayServer) return { name, server, answeredHere: true }
  return { name, server, hints, reading }
}
