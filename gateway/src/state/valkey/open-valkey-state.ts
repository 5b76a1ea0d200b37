/** Opens the shared state on a Valkey or Redis server. The one function the composition root needs of this folder. */
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import { VersionedState } from '../versioned/versioned-state.ts'
import { readValkeyAddress } from './addresses.ts'
import { connectOnce, makeConnection, type ValkeyConnection } from './connecting.ts'
import type { NotedMarks } from './epochs.ts'
import { describeValkeyFailure } from './failures.ts'
import { readServerReport } from './server-report.ts'
import { serverAhead, ValkeyPlace } from './valkey-place.ts'

export interface ValkeyStateOptions {
  /** `state.url`. Holds a password. */
  readonly url: string
  /** What every key begins with. */
  readonly prefix: string
  /** Certificate authority to trust, as PEM text. */
  readonly ca?: string | undefined
  /** Milliseconds a call waits for the server before it is refused. */
  readonly timeoutMs: number
  /** Where it is noted that the state was begun: what is empty without that is new. Left out, the state is only looked at. */
  readonly noted?: NotedMarks | undefined
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Connects, and tries a command. Rejects with `config.invalid` for an address that could not be meant, and with
 * `state.unavailable`, which says why, when the server cannot be used.
 */
export async function openValkeyState(options: ValkeyStateOptions): Promise<VersionedState> {
  const place = await openValkeyPlace(options)
  return new VersionedState(place)
}

/** The place alone. */
export async function openValkeyPlace({ url, prefix, ca, timeoutMs, noted, clock, logger }: ValkeyStateOptions): Promise<ValkeyPlace> {
  const address = readValkeyAddress(url)
  const make = (): Promise<ValkeyConnection> => makeConnection(address, ca, timeoutMs)
  const connection = await make()
  let ahead = 0
  try {
    const info = await connectOnce(connection, Math.max(timeoutMs, 1000), () => connection.info())
    const { evictionPolicy: policy, hasAppendOnly } = readServerReport(info)
    if (!hasAppendOnly)
      logger.warn(
        { code: 'state.unavailable' },
        'the server of the shared state forgets when it is started again: set `appendonly yes`, or sessions count as unknown after that',
      )
    if (policy !== undefined && policy !== 'noeviction')
      logger.warn(
        { code: 'state.unavailable', policy },
        'the server of the shared state throws values away when its memory is full: set `maxmemory-policy noeviction`',
      )
    ahead = await serverAhead(connection, clock)
  } catch (error) {
    connection.disconnect()
    throw error instanceof TurnwardError ? error : new TurnwardError('state.unavailable', { why: describeValkeyFailure(error) })
  }
  return new ValkeyPlace({
    connection,
    makeListening: make,
    prefix,
    isSpread: address.kind === 'cluster',
    noted,
    timeoutMs,
    clock,
    logger,
    ahead,
  })
}
