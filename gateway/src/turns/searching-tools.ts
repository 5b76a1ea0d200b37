/**
 * Searching the tools of a gateway that does not list them. Who searches finds what a list would show: nothing that is not
 * granted, waits for a review, or cannot be called with what the conversation has read. The answer is words of the gateway, and
 * is known as such when the conversation shows it again.
 */
import { digestJson } from '../core/hash.ts'
import type { JsonObject } from '../core/json.ts'
import { searchToolName } from '../core/tool-names.ts'
import { join } from '../policy/label.ts'
import type { CatalogueTool } from '../tools/catalogue.ts'
import type { McpContext, ToolCallRequest } from '../tools/operations.ts'
import { longestQuery, mostFound, searchEntry, usualFound } from '../tools/progressive/own-tools.ts'
import { noteOwnWords } from './deciding/refusing-tool-call.ts'
import { callableTools } from './listing-tools.ts'
import { requireGateway } from './resolving-tool.ts'
import type { Services } from './services.ts'
import { linkSession, releasedOnFailure } from './sessions/linking-session.ts'
import { useTicket } from './sessions/tickets.ts'
import { closeState, forCall, inOneStep } from './state-of-call.ts'

/** Most of an answer, in UTF-16 units of JSON; what does not fit is named without its schema. */
const longestAnswer = 64 * 1024
const longestDescription = 1000

/** Whether a request is for the search of its gateway. */
export function isSearch({ snapshot, gateway }: McpContext, { name }: ToolCallRequest): boolean {
  return name === searchToolName && snapshot.gateways.get(gateway)?.listing === 'search'
}

/** Resolves with the result of the search. Throws `grant.gateway`. */
export async function searchTools(services: Services, context: McpContext, request: ToolCallRequest): Promise<JsonObject> {
  requireGateway(context)
  const { query, limit = usualFound } = request.args
  if (typeof query !== 'string' || query.length > longestQuery)
    return failed(`\`query\` must be text of at most ${longestQuery} characters`)
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1 || limit > mostFound)
    return failed(`\`limit\` must be a whole number from 1 to ${mostFound}`)
  const { snapshot, caller, gateway } = context
  const catalogue = await services.fleet.for(snapshot, caller).catalogue(gateway)
  const { foundIn } = await import('../tools/progressive/tool-index.ts')
  const found = foundIn(catalogue, query)
  const asked = { tool: searchEntry, request, digest: digestJson(request.args), before: undefined }
  // A search that a model proposed is one of its conversation: what that has read decides what is found.
  const { own, session, held, besides } = await inOneStep(forCall(services, caller), async (state) => ({
    own: state,
    ...(await linkSession(state, context, asked)),
  }))
  try {
    return await releasedOnFailure(own, held, async () => {
      const { effects, label } = session.policyState
      const tools = callableTools(own, context, session, found, { effects, label: join(label, besides) })
      const answer = answerOf(tools.slice(0, limit), tools.length, catalogue.missing)
      if (held !== undefined) {
        await useTicket(own.state, held.key, held.ticket)
        await noteOwnWords({ services: own, snapshot, caller, callKey: held.ticket.callKey }, answer.text)
      }
      return answer.result
    })
  } finally {
    await closeState(own, async () => {})
  }
}

function answerOf(
  found: readonly CatalogueTool[],
  all: number,
  missing: ReadonlyMap<string, string>,
): { readonly text: string; readonly result: JsonObject } {
  const tools: JsonObject[] = []
  let size = 0
  for (const { definition } of found) {
    const { name = '', description, inputSchema = {}, annotations } = definition
    const short = {
      name,
      ...(typeof description === 'string' ? { description: description.slice(0, longestDescription).toWellFormed() } : {}),
    }
    const whole = { ...short, inputSchema, ...(annotations === undefined ? {} : { annotations }) }
    const length = JSON.stringify(whole).length
    const fits = size + length <= longestAnswer || tools.length === 0
    size += fits ? length : JSON.stringify(short).length
    tools.push(fits ? whole : { ...short, note: 'Search for this name to see its input schema.' })
  }
  const structuredContent: JsonObject = {
    tools,
    ...(all > found.length ? { more: all - found.length } : {}),
    // Who finds nothing should know that it may be there later.
    ...(missing.size === 0 ? {} : { unavailableServers: [...missing.keys()] }),
  }
  const text = JSON.stringify(structuredContent)
  return { text, result: { content: [{ type: 'text', text }], structuredContent } }
}

function failed(why: string): JsonObject {
  return { content: [{ type: 'text', text: why }], isError: true }
}
