/** How a route chooses among its upstreams, and when one of them is passed over. */
import { z } from 'zod'
import { millisecondsSchema, nameSchema, patternSchema } from './common.ts'
import { comparingSchema } from './comparing.ts'
import { durationSchema } from './durations.ts'

/**
 * `ordered`: as they are listed. `weighted`: by chance, in proportion to their weights. `least_busy`: the one with the fewest
 * calls under way. `lowest_latency`: the one whose answers begin soonest. `lowest_cost`: the one that is expected to cost
 * least. `sticky`: the same one for the whole of a conversation, so that its cache of prompts stays warm. `semantic`: the one
 * whose examples are nearest to what its user has said last.
 */
const plainBalances = ['ordered', 'weighted', 'least_busy', 'lowest_latency', 'lowest_cost', 'sticky'] as const
export const balanceSchema = z.enum([...plainBalances, 'semantic'])
export type PlainBalanceName = (typeof plainBalances)[number]
export type BalanceName = z.infer<typeof balanceSchema>

/** Of one upstream within a route. */
export const shareSchema = {
  /** Its share beside the others of its priority. 0: it is asked only when no other can be. */
  weight: z.number().min(0).max(1000).default(1),
  /** Lower comes first; others are asked only when none of a lower number can be. */
  priority: z.number().int().min(0).max(100).default(0),
  /** Of `balance: semantic`: sentences like those it is for. Without any it is for everything else. */
  examples: z.array(z.string().trim().min(1).max(1000)).min(1).max(64).optional(),
}

/** Most examples of one route. */
export const mostExamples = 256

/** Of `balance: semantic`. */
export const semanticSchema = z.strictObject({
  ...comparingSchema,
  /** How upstreams are chosen among that are not near enough, and all of them where nothing can be compared. */
  fallback: z.enum(plainBalances).default('ordered'),
})

/** When an upstream that fails is left alone for a while. */
export const breakerSchema = z.strictObject({
  /** Failures one after the other, after which it is passed over. */
  failures: z.number().int().min(1).max(1000).default(5),
  /** How long, in milliseconds, until one call tries it again; twice as long each time that fails, up to 16 times. */
  cooldown_ms: millisecondsSchema.default(15_000),
})

/** Of an upstream: how long it may take, and when it is left alone. */
export const patienceSchema = {
  breaker: breakerSchema.prefault({}),
  /** Longest time of a streamed answer from its head to its first byte, in milliseconds. Default: `idle_timeout_ms`. */
  first_byte_timeout_ms: millisecondsSchema.optional(),
  /** Longest time of a whole exchange, in milliseconds. Default: no limit. */
  total_timeout_ms: millisecondsSchema.optional(),
}

/** Asking again, before anything of an answer has gone out. */
export const retriesSchema = z.strictObject({
  /** How often a call may be asked again once every upstream has been. */
  attempts: z.number().int().min(0).max(10).default(0),
  /** Longest wait before the first of them, in milliseconds; by chance between nothing and this, and twice as long each time. */
  wait_ms: millisecondsSchema.default(250),
  /** Longest wait before any; an upstream that asks for more is not asked again. */
  longest_wait_ms: millisecondsSchema.max(60_000).default(5_000),
})

/** Asking another upstream as well while the one that was chosen has not begun to answer. */
export const hedgeSchema = z.strictObject({
  /** How long nothing may have come of an answer: `300ms`, `2s`, `1m`; at most 10 minutes. */
  after: durationSchema(['ms', 's', 'm'], { is: '10m', called: '10 minutes' }),
  /** How many others are asked, each after as long again. */
  at_most: z.number().int().min(1).max(3).default(1),
})

/** An upstream, and the name its model is asked by there. */
export const onContextLengthSchema = z.union([nameSchema, z.strictObject({ upstream: nameSchema, model: z.string().optional() })])

/** How a conversation may be written; other operations are told apart by their names. */
export const conversationDialects = ['chat-completions', 'responses', 'messages', 'gemini', 'converse'] as const

/** For which calls a route is there, beside those for its model. Everything that is given must fit. */
export const routeMatchSchema = z
  .strictObject({
    /** Header -> pattern of its value. */
    headers: z.record(z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'is no name of a header'), patternSchema).optional(),
    groups: z.array(patternSchema).min(1).optional(),
    consumers: z.array(patternSchema).min(1).optional(),
    dialects: z.array(z.enum(conversationDialects)).min(1).optional(),
    /** CEL over `principal`, `consumer`, `actor`, `model`, `dialect` and `headers`. */
    when: z.string().min(1).max(2000).optional(),
  })
  .refine((match) => Object.values(match).some((part) => part !== undefined), { message: 'needs at least one condition' })
