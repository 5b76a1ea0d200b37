/** A call of a tool as it was decided on: not of another one that its server lists under the same name since. */
import type { JsonObject } from '../../core/json.ts'
import type { CatalogueTool } from '../catalogue.ts'
import { parameterHeaders } from '../codec/header-values.ts'
import { callTool, type CallParameters } from '../connectors/calling-tool.ts'
import type { Exchange } from '../connectors/exchange.ts'
import { unavailable } from '../connectors/failure.ts'
import type { ReadTools } from '../tool-definitions.ts'

/** Resolves with the result. Rejects with `mcp.*` or `request.cancelled`. */
export async function callListed(
  exchange: Exchange,
  server: string,
  listed: ReadTools,
  tool: CatalogueTool,
  args: JsonObject,
  options: CallParameters,
): Promise<JsonObject> {
  const current = listed.byOriginalName.get(tool.originalName)
  // What was decided on is what runs.
  if (current === undefined || current.digest !== tool.digest) throw unavailable(server, 'the tool has changed since it was listed')
  const headers =
    exchange.era === 'modern' && current.headerParameters.length > 0 ? parameterHeaders(current.headerParameters, args) : undefined
  return callTool(exchange, server, tool.originalName, args, { ...options, ...(headers === undefined ? {} : { headers }) })
}
