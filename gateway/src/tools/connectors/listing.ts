/** Everything a server lists of one kind. What it lists badly ends the list with a reason; what came before is kept. */
import type { CancelSignal } from '../../core/cancellation.ts'
import { isObject, type JsonValue } from '../../core/json.ts'
import { rpcCodes } from '../codec/json-rpc.ts'
import { countNodes } from '../json-size.ts'
import type { Exchange, ResponseLimits } from './exchange.ts'
import { unavailable } from './failure.ts'

const maxPages = 100
const maxEntries = 10_000
const deepest = 512

export interface Listed {
  /** The entries as the server wrote them, whatever they are. */
  readonly entries: readonly JsonValue[]
  /** Why there may be more that could not be listed. */
  readonly cut: string | undefined
}

export interface ListMethod {
  readonly method: string
  /** The field of the result that has the entries. */
  readonly field: string
  /** What they are, in words. */
  readonly of: string
  /** The capability without which a server has none. */
  readonly capability: string
}

export const toolsList: ListMethod = { method: 'tools/list', field: 'tools', of: 'tools', capability: 'tools' }

const otherLists = {
  resources: { method: 'resources/list', field: 'resources', of: 'resources', capability: 'resources' },
  templates: { method: 'resources/templates/list', field: 'resourceTemplates', of: 'resource templates', capability: 'resources' },
  prompts: { method: 'prompts/list', field: 'prompts', of: 'prompts', capability: 'prompts' },
} as const satisfies Readonly<Record<string, ListMethod>>

/** What a server lists besides tools. */
export type OtherLists = Readonly<Record<keyof typeof otherLists, Listed>>

export const nothingListed: OtherLists = {
  resources: { entries: [], cut: undefined },
  templates: { entries: [], cut: undefined },
  prompts: { entries: [], cut: undefined },
}

/** All pages of a list. Throws `mcp.server_unavailable` when there is not even a first one. */
export async function listAll(
  exchange: Exchange,
  server: string,
  limits: ResponseLimits,
  signal: CancelSignal,
  { method, field, of }: ListMethod = toolsList,
): Promise<Listed> {
  const entries: JsonValue[] = []
  const cursors = new Set<string>()
  let cursor: string | undefined
  let size = 0
  for (;;) {
    const response = await exchange.request(method, cursor === undefined ? {} : { cursor }, { signal })
    const isFirst = cursor === undefined
    if (response.kind === 'error') {
      // A server that has none may not implement the method at all.
      if (isFirst && response.error.code === rpcCodes.methodNotFound) return { entries, cut: undefined }
      if (isFirst) throw unavailable(server, `it answered \`${method}\` with error ${response.error.code}`)
      return { entries, cut: `a later page of its list of ${of} is error ${response.error.code}` }
    }
    // Some languages cannot tell an empty list from nothing.
    const page = response.result[field] ?? []
    if (!Array.isArray(page)) {
      if (isFirst) throw unavailable(server, `its list of ${of} is malformed`)
      return { entries, cut: `a later page of its list of ${of} is malformed` }
    }
    for (const entry of page) {
      // What is nested without end is not even measured.
      size += countNodes(entry, deepest, limits.maxResponseBytes) === undefined ? Infinity : JSON.stringify(entry).length
      if (entries.length >= maxEntries || size > limits.maxResponseBytes) return { entries, cut: `its list of ${of} is too large` }
      entries.push(entry)
    }
    const next = response.result.nextCursor
    // Servers up to 2025-11-25 end their list with an empty cursor, or with null.
    if (next === undefined || next === null || next === '') return { entries, cut: undefined }
    if (typeof next !== 'string') return { entries, cut: `a cursor of its list of ${of} is not text` }
    if (cursors.has(next)) return { entries, cut: `its list of ${of} has no end: it repeats a cursor` }
    if (cursors.size + 1 >= maxPages) return { entries, cut: `its list of ${of} has too many pages` }
    cursors.add(next)
    cursor = next
  }
}

/** What the server lists besides tools, as far as it says that it has any. One list that fails costs that list only. */
export async function listOthers(exchange: Exchange, server: string, limits: ResponseLimits, signal: CancelSignal): Promise<OtherLists> {
  const one = async (list: ListMethod): Promise<Listed> => {
    if (!isObject(exchange.capabilities[list.capability])) return { entries: [], cut: undefined }
    try {
      return await listAll(exchange, server, limits, signal, list)
    } catch (error) {
      if (signal.aborted) throw error
      return { entries: [], cut: `its list of ${list.of} could not be read` }
    }
  }
  const [resources, templates, prompts] = await Promise.all([one(otherLists.resources), one(otherLists.templates), one(otherLists.prompts)])
  return { resources, templates, prompts }
}
