/**
 * Which era a server speaks. Modern is tried first; only an answer that is no modern error means legacy, and a
 * refused credential or a broken server means nothing at all.
 */
import { TurnwardError } from '../../core/error.ts'
import { silentLogger } from '../../core/logger.ts'
import type { Era } from '../codec/versions.ts'
import { modernVersion } from '../codec/versions.ts'
import { unavailable } from './failure.ts'
import type { HttpWire } from './http-wire.ts'
import { eraOfProbe, modernMeta } from './opening.ts'
import { requestText } from '../codec/json-rpc.ts'
import { StdioChannel, type StdioOptions } from './stdio.ts'

/** Legacy servers may stay silent on a message before `initialize`. */
const probeMs = 5000

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

/** A probe over HTTP (streamable-http, "Backward Compatibility"). Throws `mcp.server_unavailable` when nothing can be concluded. */
export async function eraOfHttp(wire: HttpWire, signal: AbortSignal): Promise<Era> {
  const headers = { 'mcp-protocol-version': modernVersion, 'mcp-method': 'server/discover' }
  const body = requestText(0, 'server/discover', { _meta: modernMeta({}, modernVersion) })
  const answer = await wire.post(body, headers, signal)
  const status = answer.statusCode
  if (status === 401 || status === 403 || status >= 500 || (status >= 300 && status < 400)) {
    answer.discard()
    throw unavailable(
      wire.server,
      status === 401 || status === 403
        ? `it refused the configured credential (HTTP ${status})`
        : `it answered the first request with HTTP ${status}`,
    )
  }
  try {
    return eraOfProbe(await wire.readResponse(answer, 0, () => {})) ?? 'legacy'
  } catch (error) {
    // A body that is no JSON-RPC is what old servers send; a deadline or a broken connection is no verdict.
    if (signal.aborted || status < 400 || !(error instanceof TurnwardError)) throw error
    return 'legacy'
  }
}
