/** Makes a connection to a Valkey or Redis server, to the one the sentinels name, or to a cluster. Loads the client only here. */
import type { Cluster, Redis } from 'ioredis'
import { TurnwardError } from '../../core/error.ts'
import type { ValkeyAddress } from './addresses.ts'
import { describeValkeyFailure } from './failures.ts'

export type ValkeyConnection = Redis | Cluster

const longestBackoffMs = 2000

/** A connection that is not open yet. It opens itself again when it was lost, and keeps no command for later: who waits is told at once. */
export async function makeConnection(address: ValkeyAddress, ca: string | undefined, timeoutMs: number): Promise<ValkeyConnection> {
  const { Redis, Cluster } = await import('ioredis')
  const { kind, hosts, user, password, database, primary, isSecure } = address
  const tls = isSecure ? { tls: ca === undefined ? {} : { ca } } : {}
  const options = {
    ...tls,
    ...(user === undefined ? {} : { username: user }),
    ...(password === undefined ? {} : { password }),
    db: database,
    protocol: 2 as const,
    lazyConnect: true,
    connectTimeout: Math.max(timeoutMs, 1000),
    disableClientInfo: true,
    enableOfflineQueue: false,
    // What was under way when a connection was lost is settled by us: sent again only with its version.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: backoffMs,
    enableAutoPipelining: false,
    autoResubscribe: false,
  }
  if (kind === 'cluster')
    return new Cluster([...hosts], {
      lazyConnect: true,
      enableOfflineQueue: false,
      enableAutoPipelining: false,
      clusterRetryStrategy: backoffMs,
      slotsRefreshTimeout: Math.max(timeoutMs, 1000),
      // Addresses of a cluster behind TLS are looked up by the names in its certificates.
      ...(isSecure ? { dnsLookup: (host: string, done: (error: Error | null, host: string) => void) => done(null, host) } : {}),
      redisOptions: options,
    })
  const [first] = hosts
  if (kind === 'sentinel')
    return new Redis({
      ...options,
      sentinels: [...hosts],
      ...(primary === undefined ? {} : { name: primary }),
      sentinelRetryStrategy: backoffMs,
      ...(isSecure ? { enableTLSForSentinelMode: true, sentinelTLS: tls.tls } : {}),
    })
  return new Redis({ ...options, ...first })
}

/** Milliseconds until the next attempt; apart from each other, so that many processes do not come back at one moment. */
function backoffMs(attempt: number): number {
  return Math.round(Math.min(longestBackoffMs, 25 * 2 ** Math.min(attempt, 8)) * (0.5 + Math.random() / 2))
}

/** Connects, tries a command, and asks something. The first failure counts: who starts with a wrong address should not wait. */
export async function connectOnce(connection: ValkeyConnection, timeoutMs: number): Promise<void>
export async function connectOnce<T>(connection: ValkeyConnection, timeoutMs: number, ask: () => Promise<T>): Promise<T>
export async function connectOnce<T>(connection: ValkeyConnection, timeoutMs: number, ask?: () => Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const failed = new Promise<never>((_, reject) => {
    // Stays: what comes later is nobody's to catch.
    connection.on('error', reject)
    timer = setTimeout(() => reject(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })), timeoutMs)
  })
  const answered = connection.connect().then(async () => {
    await connection.ping()
    return ask?.()
  })
  answered.catch(() => {})
  failed.catch(() => {})
  try {
    return await Promise.race([answered, failed])
  } catch (error) {
    throw new TurnwardError('state.unavailable', { why: describeValkeyFailure(error) })
  } finally {
    clearTimeout(timer)
  }
}
