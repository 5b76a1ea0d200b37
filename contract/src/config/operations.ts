/** How the process runs: listening, storing, limits, the decision log, telemetry. */
import { z } from 'zod'
import { endpointAddressSchema } from './addresses.ts'
import { millisecondsSchema, notAvailableYet } from './common.ts'

export const listenSchema = z.strictObject({
  host: z.string().default('127.0.0.1'),
  port: z.number().int().min(0).max(65_535).default(4100),
  /** Extra Host header values to answer to, besides the loopback names and the listening address. */
  hosts: z.array(z.string()).default([]),
  tls: notAvailableYet('listen.tls'),
})

export const storeSchema = z.strictObject({
  kind: z
    .enum(['sqlite', 'postgres'])
    .default('sqlite')
    .superRefine((kind, context) => {
      if (kind === 'postgres')
        context.addIssue({
          code: 'custom',
          message: '`store.kind: postgres` is not available yet in this release',
          params: { code: 'config.not_available' },
        })
    }),
})

export const stateSchema = z.strictObject({
  kind: z
    .enum(['memory', 'valkey'])
    .default('memory')
    .superRefine((kind, context) => {
      if (kind === 'valkey')
        context.addIssue({
          code: 'custom',
          message: '`state.kind: valkey` is not available yet in this release',
          params: { code: 'config.not_available' },
        })
    }),
})

export const limitsSchema = z.strictObject({
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
  retention: notAvailableYet('audit.retention'),
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
