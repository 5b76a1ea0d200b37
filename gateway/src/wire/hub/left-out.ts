/**
 * The hints of a request that the dialect it was written in has no form for. What changes the meaning of an answer is refused
 * by name where it cannot be said; what only shapes it is left out, and told.
 */
import type { JsonObject } from '../../core/json.ts'
import type { HubNativeTool, HubRequest } from './conversation.ts'

/**
 * The request without tools that only the vendor of its dialect can run. They are offers beside others: a request with nothing else
 * to offer is for them, and is refused by whoever writes it.
 */
export function withoutVendorTools(request: HubRequest): { readonly request: HubRequest; readonly dropped: readonly string[] } {
  const foreign = request.tools.filter((tool): tool is HubNativeTool => tool.kind === 'native' && tool.runs === 'vendor')
  if (foreign.length === 0 || foreign.length === request.tools.length) return { request, dropped: [] }
  const dropped = foreign.map(({ value }) => `tools.${typeof value.type === 'string' ? value.type : (Object.keys(value)[0] ?? '')}`)
  return { request: { ...request, tools: request.tools.filter((tool) => tool.kind !== 'native' || tool.runs === 'client') }, dropped }
}

/** How the answer comes, which is settled by whoever asks. */
const ways: ReadonlySet<string> = new Set(['stream_options'])

/** Names of fields at the top of the caller's request, sorted. */
export function leftOut(request: HubRequest, written: JsonObject): readonly string[] {
  const hints = Object.values(request.extras).flatMap((fields) => Object.entries(fields ?? {}))
  const names = hints.filter(([name, value]) => value !== null && !ways.has(name) && written[name] === undefined).map(([name]) => name)
  for (const [field, value, spellings] of sampling(request))
    if (value !== undefined && !spellings.some((spelling) => hasField(written, spelling))) names.push(field)
  return [...new Set(names)].sort()
}

/** What is read into the neutral form, under the names dialects give it. */
function sampling({ temperature, topP, topK }: HubRequest): readonly (readonly [string, number | undefined, readonly string[]])[] {
  return [
    ['temperature', temperature, ['temperature']],
    ['top_p', topP, ['top_p', 'topP']],
    ['top_k', topK, ['top_k', 'topK']],
  ]
}

/** Whether a field is there, at the top or in the group some dialects put it into. */
function hasField(written: JsonObject, name: string): boolean {
  return [written, ...Object.values(written)].some(
    (group) => typeof group === 'object' && group !== null && !Array.isArray(group) && Object.hasOwn(group, name),
  )
}
