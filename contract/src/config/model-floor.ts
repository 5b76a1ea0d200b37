/** The model floor: credentials, upstreams and routes. */
import { z } from 'zod'
import { baseAddressSchema } from './addresses.ts'
import {
  balanceSchema,
  hedgeSchema,
  onContextLengthSchema,
  patienceSchema,
  retriesSchema,
  routeMatchSchema,
  semanticSchema,
  shareSchema,
} from './balancing.ts'
import { cacheSchema } from './caching.ts'
import { presetAddresses, type PresetKind } from './provider-presets.ts'
import { addedMessageSchema, routeTemplatesSchema } from './templates.ts'
import { millisecondsSchema, nameSchema, notAvailableYet, patternSchema, serverNameSchema } from './common.ts'

const awsCredentialSchema = z
  .strictObject({
    access_key_id: z.string().min(1).optional(),
    /** Write `${ENV}` or `${file:path}`, never the value. */
    secret_access_key: z.string().min(1).optional(),
    /** Of keys that expire. */
    session_token: z.string().min(1).optional(),
    /** Keys of this profile in the files of AWS's command line on this machine, renewed as they expire. */
    profile: z.string().min(1).max(256).optional(),
    /**
     * Keys that AWS gives this machine, renewed as they expire. `web-identity`: a token in a file (EKS). `container`: ECS, EKS.
     * `instance`: EC2. `auto`: the first of the environment and these that has any.
     */
    identity: z.enum(['auto', 'web-identity', 'container', 'instance']).optional(),
    role_arn: notAvailableYet('credentials.*.aws.role_arn'),
  })
  .refine(
    ({ access_key_id: id, secret_access_key: secret, session_token: token, profile, identity }) => {
      const hasKeys = id !== undefined && secret !== undefined
      const hasPart = id !== undefined || secret !== undefined || token !== undefined
      return [hasPart, profile !== undefined, identity !== undefined].filter(Boolean).length === 1 && hasPart === hasKeys
    },
    { message: 'needs either `access_key_id` with `secret_access_key`, or `profile`, or `identity`' },
  )

const googleCredentialSchema = z
  .strictObject({
    /** The JSON file of a service account, as text: `${file:key.json}`. */
    service_account: z.string().min(1).optional(),
    /** Tokens that Google gives this machine. `metadata`: of its instance. `auto`: Google's application default credentials. */
    identity: z.enum(['auto', 'metadata']).optional(),
  })
  .refine(({ service_account: key, identity }) => (key === undefined) !== (identity === undefined), {
    message: 'needs either `service_account` or `identity`',
  })

export const credentialSchema = z
  .strictObject({
    /** The secret itself: write `${ENV}` or `${file:path}`, never the value. */
    secret: z.string().min(1).optional(),
    /** Keys that requests to AWS are signed with, in place of a secret. */
    aws: awsCredentialSchema.optional(),
    /** What access tokens of Google Cloud are asked for with, in place of a secret. */
    google: googleCredentialSchema.optional(),
  })
  .refine((given) => Object.values(given).filter((part) => part !== undefined).length === 1, {
    message: 'needs one of `secret`, `aws` and `google`',
  })

const upstreamBase = {
  /** Credential used when neither key, principal nor group maps one. `none` sends no credential. */
  credential: z.string().optional(),
  /** Time until response headers, in milliseconds. */
  timeout_ms: millisecondsSchema.default(120_000),
  /** Longest silence inside a response, in milliseconds. */
  idle_timeout_ms: millisecondsSchema.default(300_000),
  connect_timeout_ms: millisecondsSchema.default(10_000),
  ...patienceSchema,
  connections: z.number().int().min(1).max(1024).default(128),
  /** Fixed headers an administrator wants on every request, for example for an edge gateway. */
  headers: z.record(z.string(), z.string()).default({}),
  /** Clients may ask it for any model it has, as `<name of the upstream>/<model>` or `<name of the upstream>:<model>`. Grants count as for any name. */
  direct: z.boolean().default(false),
  /** Leave the `model` field out of requests (some edge gateways refuse it). */
  omit_model: z.boolean().default(false),
  /**
   * Whether `stream_options.include_usage` is asked for where the client did not ask: without it a stream has no usage to
   * account for. `auto` leaves it out for a while after the upstream has refused it; `never` also takes out the client's own.
   */
  stream_usage: z.enum(['auto', 'always', 'never']).default('auto'),
}

/**
 * The dialect OpenAI is asked in, whoever asks. Default: the client's own where it is one of these, Chat Completions for the
 * rest. Some models are served in Responses only.
 */
const openaiSpeaksSchema = z.enum(['chat-completions', 'responses']).optional()

export const scriptStepSchema = z.strictObject({
  /** Which conversations this step answers; all given conditions must hold. The first step that matches wins. */
  when: z
    .strictObject({
      /** Pattern (linear-time regex) found in the first user message. */
      task: z.string().optional(),
      /** Pattern found in any tool result of the conversation. */
      seen: z.string().optional(),
      /** Pattern found in the last message. */
      last: z.string().optional(),
      /** Number of assistant messages since the last user message. */
      step: z.number().int().min(0).optional(),
      /** Whether the last round of tool results has a refusal. */
      refused: z.boolean().optional(),
      /** Tool names that must be offered. */
      offered: z.array(z.string()).optional(),
    })
    .default({}),
  /** Text of the answer; `$1`… are groups of `seen`. */
  text: z.string().default(''),
  calls: z.array(z.strictObject({ tool: z.string(), args: z.record(z.string(), z.unknown()).default({}) })).default([]),
  /** Answer with this HTTP status instead, to exercise failover. */
  status: z.number().int().min(400).max(599).optional(),
  /** Milliseconds between stream events. */
  delay_ms: z.number().int().min(0).max(10_000).default(0),
})

/** A vendor of the table of presets. */
function preset<Kind extends PresetKind>(kind: Kind) {
  const address: string | undefined = presetAddresses[kind]
  const base_url = address === undefined ? baseAddressSchema : baseAddressSchema.default(address)
  return z.strictObject({ kind: z.literal(kind), base_url, ...upstreamBase })
}

/** Where Vertex AI is asked; the locations that span several regions have addresses of their own form. */
function vertexAddress(location: string): string {
  if (location === 'global') return 'https://aiplatform.googleapis.com'
  if (!location.includes('-')) return `https://aiplatform.${location}.rep.googleapis.com`
  return `https://${location}-aiplatform.googleapis.com`
}

export const upstreamSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('openai'),
    base_url: baseAddressSchema.default('https://api.openai.com/v1'),
    speaks: openaiSpeaksSchema,
    ...upstreamBase,
  }),
  z.strictObject({ kind: z.literal('anthropic'), base_url: baseAddressSchema.default('https://api.anthropic.com/v1'), ...upstreamBase }),
  z.strictObject({
    kind: z.literal('openai-compatible'),
    base_url: baseAddressSchema,
    ...upstreamBase,
  }),
  z.strictObject({
    kind: z.literal('gemini'),
    base_url: baseAddressSchema.default('https://generativelanguage.googleapis.com'),
    ...upstreamBase,
  }),
  z
    .strictObject({
      kind: z.literal('vertex'),
      /** Id of the project in Google Cloud. */
      project: z.string().regex(/^[a-z0-9][a-z0-9.:-]{1,62}$/, 'is no id of a project'),
      location: z
        .string()
        .regex(/^[a-z]{2,20}(?:-[a-z]{2,20}\d{1,2})?$/, 'is no location: write it like `europe-west4`, or `global`')
        .default('global'),
      /** Default: Vertex AI's own address in the location. */
      base_url: baseAddressSchema.optional(),
      ...upstreamBase,
    })
    .transform(({ base_url, ...upstream }) => ({ ...upstream, base_url: base_url ?? vertexAddress(upstream.location) })),
  z
    .strictObject({
      kind: z.literal('bedrock'),
      /** Where the models are, and what requests are signed for. */
      region: z.string().regex(/^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/, 'is no region of AWS: write it like `us-east-1`'),
      /** Default: Bedrock's own address in the region. */
      base_url: baseAddressSchema.optional(),
      ...upstreamBase,
    })
    .transform(({ base_url, ...upstream }) => ({
      ...upstream,
      base_url: base_url ?? `https://bedrock-runtime.${upstream.region}.amazonaws.com`,
    })),
  preset('mistral'),
  preset('groq'),
  preset('cerebras'),
  preset('deepseek'),
  preset('xai'),
  preset('openrouter'),
  // It refuses `stream_options`.
  preset('cohere').extend({ stream_usage: upstreamBase.stream_usage.unwrap().default('never') }),
  preset('together'),
  preset('fireworks'),
  preset('perplexity'),
  preset('github-models'),
  preset('zhipu'),
  preset('minimax'),
  preset('kimi'),
  preset('nvidia'),
  preset('huggingface'),
  preset('cloudflare'),
  preset('ollama'),
  preset('vllm'),
  preset('lm-studio'),
  preset('litellm'),
  // A route that is pinned to a model refuses any other name, its own included.
  preset('kong').extend({ omit_model: z.boolean().default(true) }),
  preset('apisix'),
  z.strictObject({
    kind: z.literal('azure'),
    /** Of the resource: `https://<resource>.openai.azure.com`. */
    base_url: baseAddressSchema,
    /** Dated versions ask a deployment, by the name of the model; without one the undated API is asked. */
    api_version: z
      .string()
      .regex(/^[0-9A-Za-z.-]{1,40}$/)
      .optional(),
    /** `key`: an API key of the resource. `token`: an access token of Microsoft Entra ID. */
    auth: z.enum(['key', 'token']).default('key'),
    speaks: openaiSpeaksSchema,
    ...upstreamBase,
  }),
  z.strictObject({
    kind: z.literal('scripted'),
    /** Deterministic answers for demos and tests. */
    steps: z.array(scriptStepSchema).min(1),
    ...upstreamBase,
    /** It runs in this process and needs none. */
    credential: z.string().default('none'),
  }),
])

const addedMessagesSchema = z.array(addedMessageSchema).max(32).default([])

export const routeSchema = z.strictObject({
  /** Exact model name, or a pattern with `*`. Exact beats pattern; longer pattern beats shorter. */
  model: patternSchema,
  upstreams: z
    .array(
      z.union([
        nameSchema,
        z.strictObject({
          upstream: nameSchema,
          /** Model name to send; default: the name the client asked for. `*` stands for what the `*` of the route has matched. */
          model: z.string().optional(),
          ...shareSchema,
        }),
      ]),
    )
    .min(1),
  /** Names that `GET /v1/models` lists for a pattern; default: what the first upstream offers and the pattern allows. */
  models: z.array(z.string().min(1).max(256)).min(1).max(1000).optional(),
  /** For which calls the route is there; routes of one model with conditions are looked at in their order, before the one without. */
  match: routeMatchSchema.optional(),
  /** What `GET /v1/models` says of it. */
  description: z.string().min(1).max(1000).optional(),
  /** How one of the upstreams is chosen. */
  balance: balanceSchema.default('ordered'),
  /** What `balance: semantic` compares with. */
  semantic: semanticSchema.optional(),
  /** Asking again when every upstream has failed. Default: not; clients do so themselves. */
  retries: retriesSchema.prefault({}),
  /** Asking another upstream beside one that is slow to begin. Default: not. */
  hedge: hedgeSchema.optional(),
  /** Who is asked for a conversation that is longer than the model takes. */
  on_context_length: onContextLengthSchema.optional(),
  /** Which of its answers are given again to whoever asks the same. Default: none. */
  cache: cacheSchema.optional(),
  /** Names of `guards`, in the order they look. */
  guards: z.array(nameSchema).max(64).default([]),
  /** Messages that stand before each conversation when it goes to a model; `system` with what the dialect has as instructions. */
  prepend: addedMessagesSchema,
  /** Messages that stand behind it. */
  append: addedMessagesSchema,
  /** Names of `templates` that its callers may call; `required`: any, and nothing but a call of one goes to its models. */
  templates: routeTemplatesSchema.optional(),
  /** Names of `context`: what they find about the person's message goes to the model as the result of a tool. */
  context: z.array(serverNameSchema).max(8).default([]),
  /** Names of `transforms`, in the order they change its requests and answers. */
  transforms: z.array(nameSchema).max(32).default([]),
})
