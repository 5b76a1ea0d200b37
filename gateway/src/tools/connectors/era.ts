/**
 * Which era a server speaks. Modern is tried first; only an answer that is no modern error means legacy, and a
 * refused credential or a broken server means nothing at all.
 */
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import { silentLogger } from '../../core/logger.ts'
import type { Era } from '../codec/versions.ts'
import { modernVersion } from '../codec/versions.ts'
import { brokeOff, unavailable } from './failure.ts'
import { refusedByStatus, type HttpWire } from './http-wire.ts'
import { eraOfProbe, modernMeta } from './opening.ts'
import { requestText } from '../codec/json-rpc.ts'
import { StdioChannel, type StdioOptions } from './stdio.ts'

/** Legacy servers may stay silent on a message before `initialize`. */
const probeMs = 5000
/** A server may have to wake up, and to open connections of its own. */
const httpProbeMs = 10_000

/** A probe of a stdio server on a child of its own, because some servers exit on it. The child is always stopped. */
export async function eraOfStdio(options: StdioOptions): Promise<Era> {
  // What the probe prints, the server itself prints again.
  const channel = new StdioChannel({ ...options, logger: silentLogger })
  try {
    const response = await channel.request(
      'server/discover',
      { _meta: modernMeta({}, modernVersion) },
      { signal: AbortSignal.timeout(probeMs) },
    )
    return eraOfProbe(response) ?? 'legacy'
  } catch {
    return 'legacy'
  } finally {
    await channel.close()
  }
}

/** What a probe over HTTP found out; `odd` says how it was answered when that is no proof of either era. */
export interface ProbedEra {
  readonly era: Era
  readonly odd: string | undefined
}

/**
 * A probe over HTTP (streamable-http, "Backward Compatibility"). Servers older than `server/discover` answer it in any way:
 * whatever is no sign of the modern era means that `initialize` is worth a try. Throws `mcp.server_unavailable` when that
 * could not end better: nobody there, a refused credential, another address.
 */
export async function eraOfHttp(wire: HttpWire, signal: AbortSignal): Promise<ProbedEra> {
  const headers = { 'mcp-protocol-version': modernVersion, 'mcp-method': 'server/discover' }
  const body = requestText(0, 'server/discover', { _meta: modernMeta({}, modernVersion) })
  const probing = AbortSignal.any([signal, AbortSignal.timeout(httpProbeMs)])
  const legacyAsks = (how: string): ProbedEra => ({ era: 'legacy', odd: how })
  try {
    const answer = await wire.post(body, headers, probing)
    const { statusCode: status } = answer
    const refused = status < 500 ? refusedByStatus(wire.server, status) : undefined
    if (refused !== undefined) {
      answer.discard()
      throw refused
    }
    if (status >= 500) {
      answer.discard()
      return legacyAsks(`HTTP ${status}`)
    }
    const era = await wire
      .readResponse(answer, 0, () => {})
      .then(eraOfProbe, (error: unknown) => {
        if (probing.aborted || !(error instanceof TurnwardError)) throw error
        return status < 400 ? legacyAsks(`HTTP ${status} and no answer`) : undefined
      })
    return typeof era === 'object' ? era : { era: era ?? 'legacy', odd: undefined }
  } catch (error) {
    if (signal.aborted) throw error
    if (probing.aborted) return legacyAsks(`nothing within ${httpProbeMs / 1000} s`)
    if (brokeOff(error)) return legacyAsks('a closed connection')
    throw error
  }
}

/** Why neither era worked. */
export function neitherEra(server: string, odd: string, error: unknown): TurnwardError {
  const failure = asTurnwardError(error)
  return unavailable(
    server,
    `it answered \`server/discover\` with ${odd}, and then \`initialize\` failed: ${failure.why ?? failure.message}. If it is older than ${modernVersion}, set \`era: legacy\``,
    error,
  )
}
