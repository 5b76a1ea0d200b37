/** Retrievers: services that are asked for passages about what a person has just said. */
import { z } from 'zod'
import { baseAddressSchema } from './addresses.ts'
import { millisecondsSchema } from './common.ts'

/** A place in JSON (RFC 6901); empty: the whole of it. */
const pointerSchema = z
  .string()
  .max(256)
  .regex(/^(?:\/(?:[^~/]|~[01])*)*$/, 'use a JSON Pointer, such as `/data/passages`; empty for the whole')

export const retrieverSchema = z.strictObject({
  url: baseAddressSchema,
  /** Sent with each request. */
  headers: z.record(z.string(), z.string()).default({}),
  /** Milliseconds until it must have answered. */
  timeout_ms: millisecondsSchema.max(60_000).default(3000),
  /** Most bytes of its answer. */
  most_bytes: z.number().int().min(1024).max(4_194_304).default(262_144),
  /** Where its answer has the list of passages, best first. */
  passages: pointerSchema.default('/passages'),
  /** Where a passage that is no text itself has its text. */
  text: pointerSchema.default('/text'),
  /** Most passages. */
  top_k: z.number().int().min(1).max(50).default(4),
  /** Most characters of all of them. */
  most_characters: z.number().int().min(100).max(200_000).default(16_000),
  /** A CEL condition on the call, as `routes[].match.when`: where it does not hold, the retriever is not asked. */
  when: z.string().min(1).max(2000).optional(),
  /** When it cannot be asked, or does not answer in time or as it should: `closed` refuses, `open` lets the call go on without it, on record. */
  fail: z.enum(['closed', 'open']).default('closed'),
})
