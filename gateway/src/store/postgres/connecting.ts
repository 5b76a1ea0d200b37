/**
 * How a PostgreSQL server is reached: address, TLS, time limits, and what is said when it cannot be. Nothing here quotes a
 * password or a whole address.
 */
import type { ClientConfig } from 'pg'
import { TurnwardError } from '../../core/error.ts'

/** Where a database is. Times are milliseconds. */
export interface PostgresPlace {
  /** `postgres://user:password@host:port/database?sslmode=verify-full` */
  readonly url: string
  /** PEM text of the authority to trust; the system's by default. */
  readonly ca?: string | undefined
  readonly connectTimeoutMs: number
  readonly statementTimeoutMs: number
}

/** What of the `store` section says where the database is. */
export function postgresPlace(store: {
  readonly url?: string | undefined
  readonly ca?: string | undefined
  readonly connect_timeout_ms: number
  readonly statement_timeout_ms: number
}): PostgresPlace {
  const { url = '', ca, connect_timeout_ms: connectTimeoutMs, statement_timeout_ms: statementTimeoutMs } = store
  return { url, ca, connectTimeoutMs, statementTimeoutMs }
}

/** A server that does not answer at all is given up this much after it should have given up itself. */
const silenceMs = 1000

/** The settings of one connection. `application`: how administrators see it in `pg_stat_activity`. Throws `store.failed`. */
export function clientConfig(place: PostgresPlace, application: string): ClientConfig {
  const url = new URL(place.url)
  const tls = tlsOf(url, place.ca)
  return {
    host: decodeURIComponent(url.hostname.replace(/^\[|\]$/g, '')),
    port: url.port === '' ? 5432 : Number(url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
    ssl: tls,
    application_name: application.slice(0, 63),
    connectionTimeoutMillis: place.connectTimeoutMs,
    statement_timeout: place.statementTimeoutMs,
    query_timeout: place.statementTimeoutMs + silenceMs,
    idle_in_transaction_session_timeout: place.statementTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  }
}

/** As libpq reads `sslmode`. Naming an authority asks for the whole check. */
function tlsOf(url: URL, ca: string | undefined): ClientConfig['ssl'] {
  const mode = url.searchParams.get('sslmode') ?? (ca === undefined ? 'disable' : 'verify-full')
  for (const name of url.searchParams.keys())
    if (name !== 'sslmode') throw unusable(url, `its parameter \`${name}\` is not one that is used`)
  const authority = ca === undefined ? {} : { ca }
  switch (mode) {
    case 'disable':
      return false
    case 'require':
      return { rejectUnauthorized: false }
    case 'verify-ca':
      return { ...authority, checkServerIdentity: () => undefined }
    case 'verify-full':
      return authority
    default:
      throw unusable(url, '`sslmode` must be disable, require, verify-ca or verify-full')
  }
}

function unusable(url: URL, why: string): TurnwardError {
  return new TurnwardError('store.failed', { subject: hostOf(url), why })
}

function hostOf(url: URL): string {
  return `PostgreSQL at ${url.host}${url.pathname}`
}

/** Host and database of an address, for people: no user and no password. */
export function shownPlace(place: PostgresPlace): string {
  return URL.canParse(place.url) ? hostOf(new URL(place.url)) : 'PostgreSQL'
}

/** SQLSTATE of an error that the server gave; undefined when it never answered. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

/** What an administrator can do about an error of the server or of the way to it, where we know. */
const fixes: Readonly<Record<string, string>> = {
  '28P01': 'Check user and password in `store.url`.',
  '28000': 'Check user, `sslmode` and the rules in pg_hba.conf.',
  '3D000': 'Create the database, or correct its name in `store.url`.',
  '42501': 'Run `turnward store migrate` as the owner of the schema, and grant the gateway what `turnward store roles` prints.',
  '53300': 'Lower `store.pool`, or raise `max_connections`: each process uses `pool` + 2.',
  ECONNREFUSED: 'Start the server, or correct host and port in `store.url`.',
  ENOTFOUND: 'Correct the host in `store.url`.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'Give the authority of the certificate in `store.ca`.',
  SELF_SIGNED_CERT_IN_CHAIN: 'Give the authority of the certificate in `store.ca`.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'Give the authority of the certificate in `store.ca`.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'Use the host name that the certificate of the server is made for.',
}

/** One coded error for whatever went wrong with the database. */
export function asStoreFailure(error: unknown, place: PostgresPlace): TurnwardError {
  if (error instanceof TurnwardError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const why =
    error instanceof AggregateError
      ? error.errors.map((one: unknown) => (one instanceof Error ? one.message : String(one))).join('; ')
      : error instanceof Error
        ? error.message
        : String(error)
  return new TurnwardError('store.failed', {
    subject: shownPlace(place),
    why: why === '' ? code : why,
    fix: fixes[code],
    retryAfterSeconds: 1,
    cause: error,
  })
}
