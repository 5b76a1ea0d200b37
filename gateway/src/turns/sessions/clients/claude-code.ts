/** Claude Code (Messages). */
import { isObject, type JsonObject } from '../../../core/json.ts'
import { headerValue, type ClientAdapter } from './client-adapter.ts'

export const claudeCode: ClientAdapter = {
  name: 'claude-code',
  made: ({ headers, fields }) => headers['x-claude-code-session-id'] !== undefined || headers['user-agent']?.startsWith('claude-cli/') === true || sessionOf(fields) !== undefined,
  session: ({ headers, fields }) => headerValue(headers, 'x-claude-code-session-id') ?? sessionOf(fields),
  agent: ({ headers }) => headerValue(headers, 'x-claude-code-agent-id'),
  isInjected: (text) => /^\s*<system-reminder>[^]*<\/system-reminder>\s*$/.test(text),
  toolName: (name) => /^mcp__.+?__(.+)$/.exec(name)?.[1],
  agentTools: new Set(['Task', 'Agent']),
}

// `user_<hash>_account_<uuid>_session_<uuid>`, or in newer releases JSON text with a `session_id`.
function sessionOf(fields: JsonObject): string | undefined {
  const userId = isObject(fields.metadata) ? fields.metadata.user_id : undefined
  if (typeof userId !== 'string' || userId.length > 1000) return undefined
  const old = /_session_([0-9a-fA-F-]{36})$/.exec(userId)
  if (old !== null) return old[1]
  if (!userId.startsWith('{')) return undefined
  try {
    const parsed: unknown = JSON.parse(userId)
    return isObject(parsed) && typeof parsed.session_id === 'string' && parsed.session_id.length <= 200 ? parsed.session_id : undefined
  } catch {
    return undefined
  }
}
