/** Codex. Its header names have changed between versions; all that are known are read. */
import { isObject } from '../../../core/json.ts'
import { parseJson } from '../../../core/parse-json.ts'
import { afterLabel } from './claude-code.ts'
import { comesFrom, headerValue, type ClientAdapter, type ClientRequest } from './client-adapter.ts'

export const codex: ClientAdapter = {
  name: 'codex',
  made: ({ headers }) =>
    comesFrom(headers, 'codex_') ||
    headerValue(headers, 'originator')?.startsWith('codex_') === true ||
    ['session_id', 'conversation_id', 'x-codex-turn-metadata'].some((name) => headers[name] !== undefined),
  session: ({ headers }) => firstOf(headers, ['thread-id', 'session-id', 'conversation_id', 'session_id']),
  parent: ({ headers }) => headerValue(headers, 'x-codex-parent-thread-id'),
  side(request) {
    const kind = requestKind(request)
    if (kind !== undefined && kind !== 'turn') return kind === 'compaction' ? 'summary' : kind
    return request.headers['x-openai-memgen-request'] === 'true' ? 'memory' : undefined
  },
  typed: (text) => (/^\s*<(?:subagent_notification|environment_context)>/.test(text) ? '' : text),
  toolName: afterLabel,
  agentTools: new Set(['spawn_agent', 'wait_agent', 'multi_agent_v1spawn_agent', 'multi_agent_v1wait_agent']),
}

function firstOf(headers: ClientRequest['headers'], names: readonly string[]): string | undefined {
  return names.map((name) => headerValue(headers, name)).find((value) => value !== undefined)
}

const longestMetadata = 16_384

function requestKind({ headers }: ClientRequest): string | undefined {
  const text = headers['x-codex-turn-metadata']
  if (typeof text !== 'string' || text.length > longestMetadata) return undefined
  try {
    const parsed: unknown = parseJson(text)
    return isObject(parsed) && typeof parsed.request_kind === 'string' ? parsed.request_kind.slice(0, 32) : undefined
  } catch {
    return undefined
  }
}
