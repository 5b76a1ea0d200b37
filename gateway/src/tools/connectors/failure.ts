/** Why a hop failed, in words of ours: nothing a server wrote gets into an error. */
import type { McpServer } from '../../config/snapshot.ts'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'

export function unavailable(server: string, why: string, cause?: unknown): TurnwardError {
  return new TurnwardError('mcp.server_unavailable', { subject: server, why, ...(cause === undefined ? {} : { cause }) })
}

/** The server wants to be shown something else. */
export function credentialRefused(server: string, status: number): TurnwardError {
  return new TurnwardError('mcp.credential_refused', { subject: server, why: `it refused the configured credential (HTTP ${status})` })
}

/** Whether a server may answer when it is asked for one person. Of one that is started nobody can say what it misses. */
export function mayNeedPerson({ config }: McpServer, error: unknown): boolean {
  return config.transport === 'stdio' || asTurnwardError(error).code === 'mcp.credential_refused'
}

/** Whether a request would have been made if the person had connected an account, or another one. */
export function waitsForPerson(error: unknown): boolean {
  const { code } = asTurnwardError(error)
  return code === 'mcp.link_needed' || code === 'mcp.person_needed'
}

/** An answer over its bound. `size`: bytes it has, where they were counted to the end or told before. */
export function resultTooLarge(server: string, limit: number, size?: number): TurnwardError {
  const how = size === undefined ? `more than ${limit}` : `${size}`
  return new TurnwardError('mcp.result_too_large', { subject: server, why: `it has ${how} bytes, and ${limit} are allowed` })
}

/** Failures of a connection attempt: the request cannot have reached the server, so it may be sent again. */
const beforeSending = new Map<string, string>([
  ['ECONNREFUSED', 'the connection was refused'],
  ['ENOTFOUND', 'its host name is not known'],
  ['EAI_AGAIN', 'its host name could not be looked up'],
  ['EHOSTUNREACH', 'its host cannot be reached'],
  ['ENETUNREACH', 'its network cannot be reached'],
  ['HTTP_CONNECT_TIMEOUT', 'the connection timed out'],
])

const afterSending = new Map<string, string>([
  ['ECONNRESET', 'the connection was reset'],
  ['EPIPE', 'the connection was closed'],
  ['HTTP_CLOSED', 'the connection was closed'],
])

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}

export function neverSent(error: unknown): boolean {
  return beforeSending.has(codeOf(error instanceof TurnwardError ? error.cause : error))
}

/** The server, or somebody on the way, closed the connection without saying anything. */
export function brokeOff(error: unknown): boolean {
  return afterSending.has(codeOf(error instanceof TurnwardError ? error.cause : error))
}

/** A socket failure as a sentence. Certificate errors keep their code: it is what an administrator needs. */
export function socketFailure(server: string, error: unknown): TurnwardError {
  const code = codeOf(error)
  const known = beforeSending.get(code) ?? afterSending.get(code)
  return unavailable(server, known ?? (code === '' ? 'the connection failed' : `the connection failed with ${code.slice(0, 64)}`), error)
}

/** Why a server could not be started, with what to do where that is not plain. */
export function reasonOf(error: unknown): string {
  const { code, message, why, fix } = asTurnwardError(error)
  if (why === undefined) return message
  return code === 'mcp.server_unavailable' || code === 'mcp.credential_refused' ? why : `${why}. ${fix}`
}
