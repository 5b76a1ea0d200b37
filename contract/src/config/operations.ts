/** How the process runs: listening, storing, limits, the decision log, telemetry. */
import { z } from 'zod'
import { databaseUrlSchema, endpointAddressSchema, publicAddressSchema, stateUrlSchema } from './addresses.ts'
import { usageLimits } from './limits.ts'
import { millisecondsSchema, nameSchema, notAvailableYet } from './common.ts'
import { listenTlsSchema } from './listen-tls.ts'
import { retentionSchema } from './retention.ts'

export const listenSchema = z.strictObject({
  host: z.string().default('127.0.0.1'),
  port: z.number().int().min(0).max(65_535).default(4100),
  /** Extra Host header values to answer to, besides the loopback names and the listening address. */
  hosts: z.array(z.string()).default([]),
  /** Headers that never carry a key of ours, because an edge in front uses them for its own. At most one of the two. */
  ignore_credential_headers: z
    .array(z.enum(['authorization', 'x-api-key']))
    .max(1)
    .default([]),
  /** HTTPS instead of HTTP. */
  tls: listenTlsSchema.optional(),
  /** What browsers and clients reach the gateway under, without a path: `https://turnward.acme.example`. What a client says of it is never used. */
  public_url: publicAddressSchema.optional(),
})

/** A certificate authority to trust instead of those of the system, as PEM text; mostly `${file:…}`. */
const authoritySchema = z.string().includes('-----BEGIN CERTIFICATE-----', { error: 'must be PEM text: `${file:ca.pem}`' })

/** Where keys, settings and the decision log are kept. */
export const storeSchema = z
  .strictObject({
    kind: z.enum(['sqlite', 'postgres']).default('sqlite'),
    /** `postgres://user:password@host:port/database`, with `sslmode=verify-full` and the like as in libpq. */
    url: databaseUrlSchema.optional(),
    /** Most connections of one process, the one of its decision log not counted. */
    pool: z.number().int().min(1).max(1000).default(10),
    ca: authoritySchema.optional(),
    connect_timeout_ms: millisecondsSchema.default(5000),
    statement_timeout_ms: millisecondsSchema.default(10_000),
  })
  .superRefine(({ kind, url }, context) => needsUrl(context, 'store', kind === 'postgres', url))

/** Where sessions, places of conversations and tickets are kept. */
export const stateSchema = z
  .strictObject({
    kind: z.enum(['memory', 'valkey']).default('memory'),
    /** `redis://`, `rediss://` (TLS), `redis+sentinel://a:26379,b:26379/primary`, `redis+cluster://a:6379,b:6379`; `valkey` in the place of `redis` means the same. */
    url: stateUrlSchema.optional(),
    /** What every key begins with, so that two installations can use one server. */
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9:_.-]{1,32}$/, 'use 1-32 letters, digits, `:`, `_`, `.` or `-`')
      .default('tw:'),
    ca: authoritySchema.optional(),
    /** How long a call waits for the state before it is refused. */
    timeout_ms: millisecondsSchema.max(10_000).default(1000),
  })
  .superRefine(({ kind, url }, context) => needsUrl(context, 'state', kind === 'valkey', url))

function needsUrl(context: z.core.$RefinementCtx, section: string, isRemote: boolean, url: string | undefined): void {
  if (isRemote && url === undefined) context.addIssue({ code: 'custom', path: ['url'], message: `\`${section}.url\` is missing` })
  if (!isRemote && url !== undefined)
    context.addIssue({ code: 'custom', path: ['url'], message: `\`${section}.url\` is for a server; name its \`kind\` as well` })
}

/** How this process takes part in an installation of several. */
export const clusterSchema = z.strictObject({
  /** The name of this replica; the host name by default. */
  replica: nameSchema.optional(),
  /** Where other replicas reach this one: for what cannot move, such as an open stream. */
  advertise: endpointAddressSchema.optional(),
  /** Shared by all replicas: what they keep in common is sealed under it. */
  secret: z.string().min(32),
  /** Earlier values of `secret`: what was sealed under them can still be read. */
  previous_secrets: z.array(z.string().min(32)).max(8).default([]),
})

/** Processes on this machine that share one listener. */
export const workersSchema = z.union([z.number().int().min(1).max(128), z.literal('auto')]).default(1)

export const limitsSchema = z.strictObject({
  ...usageLimits,
  max_body_bytes: z
    .number()
    .int()
    .min(1024)
    .max(1024 * 1024 * 1024)
    .default(32 * 1024 * 1024),
  max_depth: z.number().int().min(8).max(1000).default(128),
  max_keys: z.number().int().min(100).max(10_000_000).default(200_000),
  body_timeout_ms: millisecondsSchema.default(30_000),
  header_timeout_ms: millisecondsSchema.default(10_000),
  max_connections: z.number().int().min(10).max(1_000_000).default(10_000),
  /** Longest response of an upstream, streamed or not, and longest stream event. */
  max_response_bytes: z
    .number()
    .int()
    .min(1024)
    .max(1024 * 1024 * 1024)
    .default(64 * 1024 * 1024),
  /** What answers that are kept to be given again (`routes[].cache`) take in each process, together. */
  cache_bytes: z
    .number()
    .int()
    .min(64 * 1024)
    .max(16 * 1024 * 1024 * 1024)
    .default(64 * 1024 * 1024),
  max_event_bytes: z
    .number()
    .int()
    .min(1024)
    .max(256 * 1024 * 1024)
    .default(8 * 1024 * 1024),
  /** Time open requests get to finish after SIGTERM. */
  drain_ms: millisecondsSchema.default(25_000),
})

export const auditSchema = z.strictObject({
  /** `strict`: a tool-call decision is on disk before the tool runs. */
  durability: z.enum(['strict', 'relaxed']).default('strict'),
  checkpoint_records: z.number().int().min(1).max(1_000_000).default(1000),
  checkpoint_ms: millisecondsSchema.default(60_000),
  contents: notAvailableYet('audit.contents'),
  retention: retentionSchema.prefault({}),
})

export const telemetrySchema = z.strictObject({
  logs: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info') }).prefault({}),
  metrics: z.strictObject({ enabled: z.boolean().default(true) }).prefault({}),
  traces: z
    .strictObject({
      /** OTLP over HTTP, for example `http://127.0.0.1:4318/v1/traces`. No endpoint, no spans. */
      otlp_endpoint: endpointAddressSchema.optional(),
      headers: z.record(z.string(), z.string()).default({}),
    })
    .prefault({}),
})
