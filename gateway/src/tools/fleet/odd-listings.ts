/** Nothing of a listing disappears without a word: what of it cannot be shown is told in the log. */
import type { Logger } from '../../core/logger.ts'
import type { ServerReads } from '../reads.ts'
import type { ReadTools } from '../tool-definitions.ts'

/** `cut`: why the server may have more than it could list. */
export function tellOdd(logger: Logger, server: string, read: ReadTools, reads: ServerReads, cut: string | undefined): void {
  for (const [tool, why] of read.leftOut) logger.warn({ server, tool, why }, 'MCP tool left out')
  for (const { name: tool, without } of read.tools)
    if (without.length > 0) logger.info({ server, tool, without }, 'MCP tool shown without fields that no client could read')
  if (cut !== undefined) logger.warn({ server, why: cut }, 'MCP server could not be listed to the end')
  for (const why of reads.leftOut) logger.warn({ server, why }, 'a resource or prompt of an MCP server is left out')
}
