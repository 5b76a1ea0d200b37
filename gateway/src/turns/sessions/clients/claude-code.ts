/** Claude Code (Messages). Its side requests and its compaction have the session id of the conversation; its sub-agents have an id of their own beside it. */
import { isObject, type JsonObject } from '../../../core/json.ts'
import { parseJson } from '../../../core/parse-json.ts'
import { comesFrom, headerValue, lastUserText, withoutTagged, type ClientAdapter, type ClientRequest } from './client-adapter.ts'

const session = 'x-claude-code-session-id'

export const claudeCode: ClientAdapter = {
  name: 'claude-code',
  made: ({ headers, fields }) => comesFrom(headers, 'claude-cli/') || headers[session] !== undefined || sessionOf(fields) !== undefined,
  session: ({ headers, fields }) => headerValue(headers, session) ?? sessionOf(fields),
  agent({ headers }) {
    const id = headerValue(headers, 'x-claude-code-agent-id')
    return id === undefined ? undefined : { id, parent: headerValue(headers, 'x-claude-code-parent-agent-id') }
  },
  side(request) {
    const { tools } = request.view
    if (lastUserText(request).includes('Your task is to create a detailed summary of the conversation so far')) return 'summary'
    if (tools.length === 0) return 'side'
    return tools.every(({ runs }) => runs === 'vendor') ? 'search' : undefined
  },
  typed: (text) =>
    text.trimStart().startsWith('<task-notification>') || text.trim() === 'Tool loaded.'
      ? ''
      : withoutTagged(text, 'system-reminder').trim(),
  toolName: (name) => afterLabel(name),
  agentTools: new Set(['Agent', 'Task']),
}

/** `mcp__<label>__<tool>`. */
export function afterLabel(name: string): string | undefined {
  if (!name.startsWith('mcp__')) return undefined
  const end = name.indexOf('__', 5)
  return end === -1 ? undefined : name.slice(end + 2)
}

// JSON text with a `session_id`; in older releases `user_<hash>_account_<uuid>_session_<uuid>`.
function sessionOf(fields: ClientRequest['fields']): string | undefined {
  const userId = isObject(fields.metadata) ? fields.metadata.user_id : undefined
  if (typeof userId !== 'string' || userId.length > 1000) return undefined
  if (!userId.startsWith('{')) return /_session_([0-9a-fA-F-]{36})$/.exec(userId)?.[1]
  try {
    const parsed = parseJson(userId) as JsonObject
    return typeof parsed.session_id === 'string' && parsed.session_id !== '' && parsed.session_id.length <= 200
      ? parsed.session_id
      : undefined
  } catch {
    return undefined
  }
}
