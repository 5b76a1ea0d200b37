/** All the ways out of one sandbox: the HTTP proxy and a socket for each TCP service, in one folder. */
import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { compileEgressRules, type NetworkList } from '../../config/egress-rules.ts'
import { TurnwardError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import { EgressDialer, type DialerOptions } from './egress-dialer.ts'
import { startEgressProxy, type EgressProxy } from './egress-proxy.ts'
import { RefusedHosts, type RefusedHost } from './refused-hosts.ts'
import { startTcpForwards, type ForwardUse, type TcpForwards } from './tcp-forwards.ts'

export interface EgressOptions extends DialerOptions {
  readonly server: string
  /** `servers.*.network`. */
  readonly network: NetworkList
  /** Folder for the sockets, made here: `http`, and the number of each TCP service. */
  readonly folder: string
  /** Where refused hosts are kept for an administrator, if anywhere. */
  readonly refusedFile?: string | undefined
  readonly logger: Logger
  /** As for the proxy. */
  readonly headersMs?: number | undefined
}

export interface Egress {
  readonly forwards: readonly ForwardUse[]
  refused(): readonly RefusedHost[]
  /** Stops listening and cuts every connection. */
  close(): Promise<void>
}

/** The longest path a kernel takes for a unix socket; longer ones are cut without an error (unix(7), sun_path). */
const maxSocketPath = 107

/** Opens the ways out of one server. Errors: `config.invalid` for a malformed list, `sandbox.unavailable` when it cannot listen. */
export async function startEgress({ server, network, folder, refusedFile, logger, headersMs, ...dialing }: EgressOptions): Promise<Egress> {
  const rules = compileEgressRules(server, network)
  const sockets = rules.forwards.map((_forward, index) => join(folder, String(index)))
  const proxySocket = join(folder, 'http')
  const tooLong = [proxySocket, ...sockets].some((path) => Buffer.byteLength(path) > maxSocketPath)
  if (tooLong) throw unavailable(server, 'the path of the working folder is too long for a socket')
  const dialer = new EgressDialer(dialing)
  const refused = new RefusedHosts(server, logger, refusedFile)
  let proxy: EgressProxy | undefined
  let forwards: TcpForwards | undefined
  const close = async (): Promise<void> => {
    dialer.close()
    await Promise.all([proxy?.close(), forwards?.close(), refused.kept()])
    for (const { to, connections, sent, received } of forwards?.use ?? [])
      if (connections > 0) logger.info({ server, to, connections, sent, received }, 'a sandboxed server used a TCP service')
  }
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    proxy = await startEgressProxy({ server, rules, dialer, refused, socket: proxySocket, headersMs })
    forwards = await startTcpForwards({ forwards: rules.forwards, sockets, dialer, refused })
    // The server may be another user; nobody else can reach them, since the working folder is closed.
    await chmod(folder, 0o755)
    await Promise.all([proxySocket, ...sockets].map((path) => chmod(path, 0o666)))
  } catch (error) {
    await close()
    throw unavailable(server, 'the way out of the sandbox cannot be opened', error)
  }
  return { forwards: forwards.use, refused: () => refused.list(), close }
}

function unavailable(subject: string, why: string, cause?: unknown): TurnwardError {
  return new TurnwardError('sandbox.unavailable', { subject, why, cause })
}
