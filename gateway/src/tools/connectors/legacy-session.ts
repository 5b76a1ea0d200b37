/** One session with a legacy server: how it is opened, and how the server says that it does not know it any more. */
import { rpcCodes, type RpcMessage } from '../codec/json-rpc.ts'

export interface LegacySession {
  readonly id: string | undefined
  readonly headers: Readonly<Record<string, string>>
}

/** Marks a session the server no longer knows; it has not looked at the request. */
export class SessionLost extends Error {}

export function legacySession(id: string | undefined, version: string): LegacySession {
  // 2025-03-26 does not know the version header, and ignores it.
  const headers = id === undefined ? { 'mcp-protocol-version': version } : { 'mcp-session-id': id, 'mcp-protocol-version': version }
  return { id, headers }
}

/** Statuses that say something of a request's headers, its caller or its pace, and nothing of its session. */
const otherwise = new Set([401, 403, 408, 429])

/** Codes with which servers that never read a request refuse it. */
const unread = new Set<number>([rpcCodes.invalidRequest, -32_000, -32_001])

/**
 * What a refused request says of its session. 404 by the specification. Widely used servers say 400 or 410 with an error of
 * their own, as they say of much else: whether the session is lost is then asked.
 */
export function verdictOnSession(session: LegacySession, status: number): 'lost' | 'ask' | 'kept' {
  if (session.id === undefined || status < 400 || status >= 500 || otherwise.has(status)) return 'kept'
  return status === 404 ? 'lost' : 'ask'
}

/** Whether a refusal may be one of a request that was not read: no error at all, one for nobody, or one of the request's form. */
export function isUnread(refusal: RpcMessage | undefined): boolean {
  return refusal?.kind !== 'error' || refusal.id === undefined || typeof refusal.id === 'string' || unread.has(refusal.error.code)
}
