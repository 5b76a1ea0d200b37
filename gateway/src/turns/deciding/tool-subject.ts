/** A tool of ours as the engine sees it. */
import type { ToolSubject } from '../../policy/types.ts'
import type { CatalogueTool } from '../../tools/catalogue.ts'

export function subjectOf({ name, server, hints, reading }: CatalogueTool): ToolSubject {
  return { name, server, hints, reading }
}
