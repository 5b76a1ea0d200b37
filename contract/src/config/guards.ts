/** Guards: what may be said to models, and what they may answer. Each has a name; routes list the names, and a guard may hold for groups, or everywhere. */
import { z } from 'zod'
import { baseAddressSchema } from './addresses.ts'
import { millisecondsSchema, nameSchema, patternSchema } from './common.ts'

/** Patterns of RE2: linear time, whatever the text. */
const regexSchema = z.string().min(1).max(2000)

/** What every guard has. */
const base = {
  /** What it looks at: what models are told, what they answer, or both. */
  on: z.enum(['input', 'output', 'both']).default('both'),
  /** `block`: the call is refused, or its answer ended. `redact`: what was found is written otherwise. `warn`: it is recorded, and nothing else. */
  mode: z.enum(['block', 'redact', 'warn']).default('block'),
  /** It holds for every call of principals in these groups, whatever the route lists. */
  groups: z.array(patternSchema).min(1).max(256).optional(),
  /** It holds for every call. */
  everywhere: z.boolean().default(false),
  /** Which words of a request it reads. Default: all of them. */
  parts: z
    .array(z.enum(['system', 'user', 'assistant', 'tool_result', 'tool_call', 'tools', 'settings']))
    .min(1)
    .optional(),
}

/** How much of a stream is held back while it is looked at. */
const holdSchema = z.union([z.number().int().min(1).max(100_000), z.enum(['sentence', 'answer'])])

export const secretFormats = [
  'private-key',
  'jwt',
  'aws-access-key',
  'github-token',
  'gitlab-token',
  'slack-token',
  'stripe-key',
  'openai-key',
  'anthropic-key',
  'google-api-key',
  'npm-token',
  'pypi-token',
  'huggingface-token',
  'sendgrid-key',
  'twilio-key',
  'turnward-key',
  'url-password',
] as const

export const piiKinds = ['email', 'phone', 'iban', 'card', 'national_id'] as const

export const idCountries = [
  'at',
  'au',
  'be',
  'br',
  'ca',
  'ch',
  'cz',
  'de',
  'dk',
  'es',
  'fi',
  'fr',
  'gb',
  'in',
  'it',
  'nl',
  'no',
  'pl',
  'pt',
  'se',
  'us',
] as const

const patternsGuardSchema = z
  .strictObject({
    kind: z.literal('patterns'),
    ...base,
    /** None of these may be found. */
    deny: z.array(regexSchema).max(256).default([]),
    /** One of these must be found: in what the user said last, and in an answer as a whole. */
    allow: z.array(regexSchema).max(256).default([]),
    /** What stands instead of what was found, with `mode: redact`. */
    replacement: z.string().max(200).default('[removed]'),
    /** Characters of a stream that are held back, so that a match that comes in pieces is found: nothing longer is found in one. `sentence`: what has come since the last end of a sentence. `answer`: all of it. */
    hold: holdSchema.default(200),
  })
  .superRefine(({ deny, allow, mode }, context) => {
    if (deny.length + allow.length === 0) context.addIssue({ code: 'custom', path: ['deny'], message: 'needs `deny` or `allow`' })
    if (allow.length > 0 && mode === 'redact')
      context.addIssue({
        code: 'custom',
        path: ['allow'],
        message: 'what is not allowed cannot be written otherwise: use `block` or `warn`',
      })
  })

const secretsGuardSchema = z.strictObject({
  kind: z.literal('secrets'),
  ...base,
  formats: z
    .array(z.enum(secretFormats))
    .min(1)
    .default([...secretFormats]),
})

const piiGuardSchema = z
  .strictObject({
    kind: z.literal('pii'),
    ...base,
    mode: base.mode.unwrap().default('redact'),
    find: z.array(z.enum(piiKinds)).min(1).default(['email', 'phone', 'iban', 'card']),
    /** Whose national ids are looked for. */
    countries: z.array(z.enum(idCountries)).default([]),
    /** Vendors see placeholders, and answers have the originals again. `false`: they are gone for good. */
    restore: z.boolean().default(true),
  })
  .superRefine(({ find, countries }, context) => {
    if (find.includes('national_id') !== countries.length > 0)
      context.addIssue({ code: 'custom', path: ['countries'], message: '`national_id` and `countries` need each other' })
  })

const invisibleGuardSchema = z.strictObject({
  kind: z.literal('invisible'),
  ...base,
  mode: base.mode.unwrap().default('redact'),
  /** Letters of other scripts in the middle of Latin words that look like Latin ones, and letters in disguise. */
  confusables: z.boolean().default(true),
})

/** What every guard has that asks somebody else. */
const asking = {
  /** Milliseconds until it must have answered. */
  timeout_ms: millisecondsSchema.max(60_000).default(5000),
  /** When it cannot be asked, or does not answer in time or as it should: `closed` refuses, `open` lets the call go on, on record. */
  fail: z.enum(['closed', 'open']).default('closed'),
  /** Characters of a stream that are gathered before it is asked about them. `sentence`: up to the end of one. `answer`: all of it. */
  hold: holdSchema.default(1000),
}

const credentialName = z.string().optional()
/** Of services that only say whether. */
const flagMode = z.enum(['block', 'warn']).default('block')

const webhookGuardSchema = z.strictObject({
  kind: z.literal('webhook'),
  ...base,
  ...asking,
  url: baseAddressSchema,
  /** Its `secret` is sent as a bearer. */
  credential: credentialName,
  /** What bodies are signed with; write `${ENV}` or `${file:path}`. */
  secret: z.string().min(16).optional(),
})

const lakeraGuardSchema = z.strictObject({
  kind: z.literal('lakera'),
  ...base,
  ...asking,
  url: baseAddressSchema.default('https://api.lakera.ai'),
  credential: z.string(),
  project_id: z.string().min(1).max(128).optional(),
})

const presidioGuardSchema = z.strictObject({
  kind: z.literal('presidio'),
  ...base,
  ...asking,
  mode: base.mode.unwrap().default('redact'),
  /** Of the analyzer. */
  url: baseAddressSchema,
  credential: credentialName,
  language: z
    .string()
    .regex(/^[a-z]{2,3}$/)
    .default('en'),
  /** Kinds of entities that are looked for. Default: all that it knows. */
  entities: z
    .array(z.string().regex(/^[A-Z_]{2,64}$/))
    .min(1)
    .max(100)
    .optional(),
  score: z.number().min(0).max(1).default(0.5),
  /** Vendors see placeholders, and answers have the originals again. */
  restore: z.boolean().default(true),
})

const bedrockGuardSchema = z.strictObject({
  kind: z.literal('bedrock-guardrails'),
  ...base,
  ...asking,
  region: z.string().regex(/^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/, 'is no region of AWS: write it like `us-east-1`'),
  /** Id or ARN of the guardrail. */
  guardrail: z.string().min(1).max(2048),
  version: z
    .string()
    .regex(/^(?:DRAFT|\d{1,8})$/, 'is `DRAFT` or a number')
    .default('DRAFT'),
  credential: z.string(),
  /** Default: Bedrock's own address in the region. */
  url: baseAddressSchema.optional(),
})

const azureGuardSchema = z.strictObject({
  kind: z.literal('azure-content-safety'),
  ...base,
  ...asking,
  mode: flagMode,
  /** Of the resource: `https://<resource>.cognitiveservices.azure.com`. */
  url: baseAddressSchema,
  credential: z.string(),
  categories: z
    .array(z.enum(['Hate', 'SelfHarm', 'Sexual', 'Violence']))
    .min(1)
    .default(['Hate', 'SelfHarm', 'Sexual', 'Violence']),
  /** From this on (0, 2, 4, 6) a category is one. */
  severity: z.number().int().min(1).max(6).default(4),
  blocklists: z
    .array(z.string().regex(/^[\w~.-]{1,64}$/))
    .max(10)
    .default([]),
  /** Whether attacks in prompts and documents are looked for as well. */
  shield: z.boolean().default(false),
  api_version: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}(?:-preview)?$/)
    .default('2024-09-01'),
})

const segment = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/)

const modelArmorGuardSchema = z.strictObject({
  kind: z.literal('model-armor'),
  ...base,
  ...asking,
  project: segment,
  location: z.string().regex(/^[a-z]{2,20}(?:-[a-z]{2,20}\d{1,2})?$/, 'is no location: write it like `europe-west4`'),
  template: segment,
  credential: z.string(),
  /** Default: Model Armor's own address in the location. */
  url: baseAddressSchema.optional(),
})

const moderationGuardSchema = z.strictObject({
  kind: z.literal('moderation'),
  ...base,
  ...asking,
  mode: flagMode,
  /** An upstream that has moderations in OpenAI's form. */
  upstream: nameSchema,
  model: z.string().min(1).max(256).default('omni-moderation-latest'),
  /** Category -> score from which on it is one. Default: what the service itself flags. */
  categories: z.record(z.string().min(1).max(64), z.number().min(0).max(1)).optional(),
})

const topicsGuardSchema = z
  .strictObject({
    kind: z.literal('topics'),
    ...base,
    timeout_ms: asking.timeout_ms,
    fail: asking.fail,
    mode: flagMode,
    /** An upstream that has embeddings in OpenAI's form. */
    upstream: nameSchema,
    /** Of embeddings. */
    model: z.string().min(1).max(256),
    /** Sentences of what may be talked about: what was said must be near one of them. */
    allow: z.array(z.string().min(1).max(2000)).max(256).default([]),
    /** Sentences of what may not be. */
    deny: z.array(z.string().min(1).max(2000)).max(256).default([]),
    /** Cosine from which on two texts are about the same; it depends on the model. */
    threshold: z.number().min(-1).max(1),
  })
  .refine(({ allow, deny }) => allow.length + deny.length > 0, { path: ['deny'], message: 'needs `deny` or `allow`' })

const judgeGuardSchema = z.strictObject({
  kind: z.literal('judge'),
  ...base,
  ...asking,
  mode: flagMode,
  timeout_ms: millisecondsSchema.max(120_000).default(30_000),
  /** A model that a route serves. */
  model: z.string().min(1).max(256),
  /** What is asked of the texts; `yes` is what is found. */
  question: z.string().min(1).max(4000),
  max_tokens: z.number().int().min(1).max(4096).default(64),
})

export const guardSchema = z.discriminatedUnion('kind', [
  patternsGuardSchema,
  secretsGuardSchema,
  piiGuardSchema,
  invisibleGuardSchema,
  webhookGuardSchema,
  lakeraGuardSchema,
  presidioGuardSchema,
  bedrockGuardSchema,
  azureGuardSchema,
  modelArmorGuardSchema,
  moderationGuardSchema,
  topicsGuardSchema,
  judgeGuardSchema,
])
