/** Everything a server lists. What it lists badly ends the list with a reason; what came before is kept. */
import type { CancelSignal } from '../../core/cancellation.ts'
import type { JsonValue } from '../../core/json.ts'
import { rpcCodes } from '../codec/json-rpc.ts'
import { countNodes } from '../json-size.ts'
import type { Exchange, ResponseLimits } from './exchange.ts'
import { unavailable } from './failure.ts'

const maxPages = 100
const maxTools = 10_000
const deepest = 512

export interface Listed {
  /** The entries as the server wrote them, whatever they are. */
  readonly tools: readonly JsonValue[]
  /** Why there may be more that could not be listed. */
  readonly cut: string | undefined
}

/** All pages of `tools/list`. Throws `mcp.server_unavailable` when there is not even a first one. */
export async function listTools(exchange: Exchange, server: string, limits: ResponseLimits, signal: CancelSignal): Promise<Listed> {
  const tools: JsonValue[] = []
  const cursors = new Set<string>()
  let cursor: string | undefined
  let size = 0
  for (;;) {
    const response = await exchange.request('tools/list', cursor === undefined ? {} : { cursor }, { signal })
    const isFirst = cursor === undefined
    if (response.kind === 'error') {
      // A server without tools may not implement the method at all.
      if (isFirst && response.error.code === rpcCodes.methodNotFound) return { tools, cut: undefined }
      if (isFirst) throw unavailable(server, `it answered \`tools/list\` with error ${response.error.code}`)
      return { tools, cut: `a later page of its list of tools is error ${response.error.code}` }
    }
    // Some languages cannot tell an empty list from nothing.
    const page = response.result.tools ?? []
    if (!Array.isArray(page)) {
      if (isFirst) throw unavailable(server, 'its list of tools is malformed')
      return { tools, cut: 'a later page of its list of tools is malformed' }
    }
    for (const tool of page) {
      // What is nested without end is not even measured.
      size += countNodes(tool, deepest, limits.maxResponseBytes) === undefined ? Infinity : JSON.stringify(tool).length
      if (tools.length >= maxTools || size > limits.maxResponseBytes) return { tools, cut: 'its list of tools is too large' }
      tools.push(tool)
    }
    const next = response.result.nextCursor
    // Servers up to 2025-11-25 end their list with an empty cursor, or with null.
    if (next === undefined || next === null || next === '') return { tools, cut: undefined }
    if (typeof next !== 'string') return { tools, cut: 'a cursor of its list of tools is not text' }
    if (cursors.has(next)) return { tools, cut: 'its list of tools has no end: it repeats a cursor' }
    if (cursors.size + 1 >= maxPages) return { tools, cut: 'its list of tools has too many pages' }
    cursors.add(next)
    cursor = next
  }
}
