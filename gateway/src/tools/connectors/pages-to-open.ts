/**
 * A request that fails because a page must be opened first, as servers of 2025-11-25 say it (client/elicitation, "URL Elicitation
 * Required Error"). To whoever made it, it looks like one that asks; with the answer it is made again from the start.
 */
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { capabilityFor, mostAsks, whyNotAsked, type Ask } from '../asks.ts'
import type { RpcErrorObject } from '../codec/json-rpc.ts'
import { unavailable } from './failure.ts'

const pageRequired = -32042

/** The result that asks; undefined for every other error. Throws when the client opens no pages, or cannot be asked for these. */
export function pagesToOpen(server: string, { code, data }: RpcErrorObject, offers: JsonObject = {}): JsonObject | undefined {
  if (code !== pageRequired) return undefined
  const elicitations = isObject(data) && Array.isArray(data.elicitations) ? data.elicitations : []
  const asks = elicitations.map((params): Ask => ({
    method: 'elicitation/create',
    params: { ...(isObject(params) ? params : {}), mode: 'url' },
  }))
  if (asks.length === 0 || asks.length > mostAsks) throw unavailable(server, 'a page is to be opened first, and it does not say which')
  for (const ask of asks) {
    const why = whyNotAsked(ask, offers)
    if (why !== undefined)
      throw new TurnwardError('mcp.missing_capability', { subject: server, why, details: { requiredCapabilities: capabilityFor(ask) } })
  }
  return {
    resultType: 'input_required',
    inputRequests: Object.fromEntries(asks.map(({ method, params }, index) => [`page-${index + 1}`, { method, params }])),
  }
}
