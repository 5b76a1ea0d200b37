/** Conversation ids that well-known clients send of their own accord. A table: one line a client. */
import type { IncomingHttpHeaders } from 'node:http'
import { isObject, type JsonObject } from '../core/json.ts'

interface KnownClient {
  readonly source: string
  readonly read: (headers: IncomingHttpHeaders, body: JsonObject) => string | undefined
}

const knownClients: readonly KnownClient[] = [
  { source: 'claude-code', read: (_headers, body) => claudeCodeSession(body) },
  { source: 'codex', read: (headers) => header(headers, 'session_id') ?? header(headers, 'conversation_id') },
  { source: 'opencode', read: (headers) => header(headers, 'x-opencode-session') },
  { source: 'session-affinity', read: (headers) => header(headers, 'x-session-affinity') },
]

/** The first id a known client sent, or undefined. */
export function knownClientSession(headers: IncomingHttpHeaders, body: JsonObject): { readonly source: string; readonly value: string } | undefined {
  for (const client of knownClients) {
    const value = client.read(headers, body)
    if (value !== undefined) return { source: client.source, value }
  }
  return undefined
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' && value.length > 0 && value.length <= 200 ? value : undefined
}

// `user_<hash>_account_<uuid>_session_<uuid>`, or in newer releases JSON text with a `session_id`.
function claudeCodeSession(body: JsonObject): string | undefined {
  const userId = isObject(body.metadata) ? body.metadata.user_id : undefined
  if (typeof userId !== 'string' || userId.length > 1000) return undefined
  const old = /_session_([0-9a-fA-F-]{36})$/.exec(userId)
  if (old !== null) return old[1]
  if (!userId.startsWith('{')) return undefined
  try {
    const parsed: unknown = JSON.parse(userId)
    return isObject(parsed) && typeof parsed.session_id === 'string' ? parsed.session_id : undefined
  } catch {
    return undefined
  }
}
