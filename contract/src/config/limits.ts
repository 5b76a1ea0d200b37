/** Limits and budgets: who may use how much of what in which time. */
import { z } from 'zod'
import { nameSchema, patternSchema } from './common.ts'

const patternsSchema = z.array(patternSchema).min(1).max(256).optional()

/** What a limit is about. Every part that is given must fit; a part fits when one of its patterns does. */
const matchSchema = z.strictObject({
  /** Ids of keys. */
  keys: patternsSchema,
  consumers: patternsSchema,
  principals: patternsSchema,
  groups: patternsSchema,
  /** Names that clients ask for. */
  models: patternsSchema,
  upstreams: patternsSchema,
  /** Actors: who makes the call on behalf of the principal. */
  agents: patternsSchema,
  sessions: patternsSchema,
  /** `server__tool`. A limit with it is about calls of tools, and one without it about calls of models, unless it counts `tool_calls`. */
  tools: patternsSchema,
})

/** What can be counted of calls of tools. */
const ofTools: ReadonlySet<string> = new Set(['requests', 'tool_calls', 'concurrent'])

export const limitRuleSchema = z
  .strictObject({
    name: nameSchema,
    match: matchSchema.prefault({}),
    /** Each of these has the limit for itself; `none`: all of them together. */
    per: z.enum(['key', 'consumer', 'principal', 'group', 'model', 'upstream', 'agent', 'session', 'turn', 'none']).default('none'),
    /** `cost`: US dollars. `concurrent`: calls that run at the same time. */
    count: z.enum(['requests', 'input_tokens', 'output_tokens', 'tokens', 'cost', 'tool_calls', 'concurrent']),
    limit: z.number().positive().max(1_000_000_000_000),
    /** `1m`, `1h` and `1d` slide. Calendar windows begin in `limits.timezone`. `turn` and `session`: as long as it lasts. */
    window: z.enum(['1m', '1h', '1d', 'calendar_day', 'calendar_week', 'calendar_month', 'turn', 'session']).optional(),
    /** `warn`: what goes over it is recorded, and goes on. */
    action: z.enum(['refuse', 'warn']).default('refuse'),
  })
  .superRefine(({ match, per, count, limit, window }, context) => {
    const report = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message })
    const isOfTools = match.tools !== undefined || count === 'tool_calls'
    if (count === 'concurrent' && window !== undefined) report('window', 'calls that run now have no window: leave it out')
    if (count !== 'concurrent' && window === undefined) report('window', 'is needed: for how long it counts')
    if (count !== 'cost' && !Number.isSafeInteger(limit)) report('limit', 'must be a whole number')
    if (count === 'cost' && limit > 5_000_000) report('limit', 'must be at most 5000000 dollars')
    if (isOfTools && !ofTools.has(count))
      report('count', 'calls of tools have no tokens and no cost: count `requests`, `tool_calls` or `concurrent`')
    if (isOfTools && (match.models !== undefined || match.upstreams !== undefined))
      report('match', 'a limit on tools cannot ask for models or upstreams')
    if (isOfTools && (per === 'model' || per === 'upstream')) report('per', 'a limit on tools cannot be per model or upstream')
    if ((window === 'turn' || window === 'session') && per !== window)
      report('per', `what lasts as long as a ${window} is counted per ${window}: write \`per: ${window}\``)
    if (per === 'turn' && window !== 'turn' && count !== 'concurrent') report('window', 'a turn has no other window than `turn`')
  })

/** The part of `limits` that is about use. */
export const usageLimits = {
  /** Several may hold for a call; the tightest decides. */
  rules: z
    .array(limitRuleSchema)
    .max(256)
    .refine((rules) => new Set(rules.map(({ name }) => name)).size === rules.length, { message: 'two limits have the same name' })
    .default([]),
  /** Where calendar windows begin: a name of the IANA database. */
  timezone: z.string().refine(isTimezone, { message: 'is no time zone: write it like `Europe/Berlin`' }).default('UTC'),
  /** Output tokens a call is expected to have at most, until more of them have come. */
  assumed_output_tokens: z.number().int().min(1).max(1_000_000).default(4096),
  /** What a limit on `cost` does about a model without a price. */
  unpriced: z.enum(['allow', 'refuse']).default('allow'),
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
