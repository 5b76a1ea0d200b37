/** What models cost, where the prices that ship with the gateway do not know or are not what is paid. */
import { z } from 'zod'
import { patternSchema } from './common.ts'

/** US dollars for a million tokens. */
const dollars = z.number().min(0).max(1_000_000)

const ratesSchema = z.strictObject({
  input: dollars,
  output: dollars.default(0),
  /** What is read from the vendor's cache of prompts; default: as `input`. */
  cache_read: dollars.optional(),
  /** What is written there; default: as `input`. */
  cache_write: dollars.optional(),
  /** What is written there for an hour; default: as `cache_write`. */
  cache_write_long: dollars.optional(),
  /** What is thought and not said; default: as `output`. */
  reasoning: dollars.optional(),
})

export const priceSchema = ratesSchema.extend({
  /** Names of models, as they are sent to the upstream or as it answers with; `*` is a wildcard. */
  models: z.array(patternSchema).min(1).max(256),
  /** Default: every upstream. */
  upstreams: z.array(patternSchema).min(1).max(256).optional(),
  /** What a request costs besides, in dollars. */
  request: dollars.default(0),
  /** Other rates for the whole of a request that is longer than this; the longest one that it passes counts. */
  above: z
    .array(ratesSchema.extend({ input_tokens: z.number().int().min(1) }))
    .max(16)
    .default([]),
})
