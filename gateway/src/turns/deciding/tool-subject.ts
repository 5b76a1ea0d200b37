/** Something of a server as the engine sees it. */
import type { ToolSubject } from '../../policy/types.ts'
import type { CatalogueEntry } from '../../tools/catalogue.ts'

export function subjectOf({ name, server, hints, reading }: CatalogueEntry): ToolSubject {
  return { name, server, hints, reading }
}
