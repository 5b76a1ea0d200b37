/** The agent floor: MCP servers and gateways, contracts, rules, turns. */
import { z } from 'zod'
import { argumentShapeNames } from './argument-shapes.ts'
import { endpointAddressSchema } from './addresses.ts'
import { escalationFields, requiredApprovalSchema } from './approvals.ts'
import { argumentsSchema, recordsSchema } from './argument-roles.ts'
import { capsSchema } from './caps.ts'
import { dockerSettingsSchema, kubernetesSettingsSchema } from './runner-settings.ts'
import { millisecondsSchema, nameSchema, notAvailableYet, patternSchema, serverNameSchema, toolNameSchema } from './common.ts'
import { networkEntrySchema } from './network.ts'
import { openapiServerFields } from './openapi-server.ts'
import { remembersSchema } from './remembers.ts'
import { serverAuthSchema, startedServerAuthSchema } from './server-auth.ts'

const resultBytesSchema = z
  .number()
  .int()
  .min(1024)
  .max(1024 * 1024 * 1024)

/** Of every server, whatever it speaks. */
const anyServer = {
  /** Longest time for one call, progress or not. */
  timeout_ms: millisecondsSchema.default(60_000),
  /** Calls in flight at once; more wait in a queue of the same length, then are refused. */
  max_concurrent: z.number().int().min(1).max(1024).default(16),
  /**
   * What becomes of a tool whose definition is new or has changed since it was approved: `review` holds it until somebody has
   * looked at it, `warn` uses it and tells, `off` does not compare. The first listing of a server is approved as it is.
   */
  pin: z.enum(['review', 'warn', 'off']).default('review'),
  /** Longest result, in bytes as the server sends it; a longer one is an error of that call. `limits.max_response_bytes` bounds it too. */
  max_result_bytes: resultBytesSchema.default(16 * 1024 * 1024),
  /** The same for single tools: name or pattern, as the server calls them -> bytes. The most specific pattern counts. */
  max_result_bytes_of: z.record(patternSchema, resultBytesSchema).default({}),
}

/** Of servers that speak MCP. */
const serverBase = {
  ...anyServer,
  /** Which protocol era to speak; `auto` asks the server. */
  era: z.enum(['auto', 'modern', 'legacy']).default('auto'),
  /** What it may ask of a client that offers it, while it works on a request of that client. */
  may_ask: z.array(z.enum(['elicitation', 'sampling', 'roots'])).default(['elicitation', 'sampling', 'roots']),
  /** What it asks a model (`sampling`) is answered here, by this model on behalf of the caller, and not by the caller's client. */
  sampling: z
    .strictObject({
      /** A model that a route serves; the caller needs a grant for it. */
      model: z.string().min(1).max(256),
      /** Longest answer, in tokens. */
      max_tokens: z.number().int().min(1).max(1_000_000).default(4096),
      /** How often a server may ask while it works on one request. */
      max_calls: z.number().int().min(1).max(64).default(8),
    })
    .optional(),
  /** How long a server may still add tools to its first listing, in milliseconds: some have all of theirs only a moment after they have started. */
  first_contact_ms: z
    .number()
    .int()
    .min(0)
    .max(24 * 3600 * 1000)
    .default(60_000),
}

export const serverSchema = z.discriminatedUnion('transport', [
  z.strictObject({
    transport: z.literal('stdio'),
    /** Executable and arguments; no shell. `node` means the gateway's own Node. In a container: arguments for its entrypoint, or none. */
    command: z.array(z.string().min(1)).default([]),
    env: z.record(z.string(), z.string()).default({}),
    /**
     * Where it runs: at each replica; once in the whole cluster, for a server that keeps something of its own; or once for each
     * principal at each replica, so that nothing one person's calls leave behind reaches another.
     */
    per: z
      .enum(['replica', 'cluster', 'principal', 'session'])
      .superRefine((per, context) => {
        if (per !== 'session') return
        context.addIssue({
          code: 'custom',
          message:
            '`per: session` is not available: which session a call belongs to is known only once the call is decided, and clients of the modern era have none of their own. `per: principal` keeps people apart',
          params: { code: 'config.not_available' },
        })
      })
      .default('replica'),
    /** With `per: principal`: how many children there may be at once. The one that was not used for longest ends first. */
    max_children: z.number().int().min(1).max(1000).default(32),
    /**
     * A child that nobody used for so long is stopped, and started again when it is needed. Not set: ten minutes for a child of
     * one principal, never for one that all share.
     */
    idle_ms: z
      .number()
      .int()
      .min(1000)
      .max(7 * 24 * 3600 * 1000)
      .optional(),
    runner: z.enum(['bubblewrap', 'process', 'docker', 'kubernetes']).default('bubblewrap'),
    /** With `runner: docker`: its image, and where the engine is. */
    docker: dockerSettingsSchema.optional(),
    /** With `runner: kubernetes`: its image, and where the pods are made. */
    kubernetes: kubernetesSettingsSchema.optional(),
    /** Must be true to use `runner: process`, which isolates nothing. */
    unsafe_no_sandbox: z.boolean().default(false),
    /**
     * What kind of program it is, which decides what of the host it is shown. Not set: found from the command. `browser` is for a
     * server that starts one.
     */
    runtime: z.enum(['node', 'python', 'binary', 'browser']).optional(),
    /** Whether its home is empty at every start, or kept in the data folder. */
    home: z.enum(['fresh', 'keep']).default('fresh'),
    /** What the server may reach: hosts (`name` or `name:port`) through the filtering proxy, and TCP services. */
    network: z.array(networkEntrySchema).max(256).default([]),
    /** Folders the server sees: host path, read-only unless `write`. */
    mounts: z.array(z.strictObject({ path: z.string().min(1), write: z.boolean().default(false) })).default([]),
    limits: z
      .strictObject({
        memory_mb: z.number().int().min(64).max(65_536).default(1024),
        processes: z.number().int().min(4).max(4096).default(64),
        cpu_seconds: z.number().int().min(1).max(86_400).default(3600),
        file_mb: z.number().int().min(1).max(65_536).default(256),
        /** A server whose memory and processes cannot be bounded as a whole is not started, unless this says `accept`. */
        unenforced: z.enum(['refuse', 'accept']).default('refuse'),
      })
      .prefault({}),
    /**
     * What was installed for it (`turnward servers add` writes this): the package, and the digest of all its files with those
     * it depends on. A server whose files are others is not started.
     */
    installed: z
      .strictObject({
        package: z.string().regex(/^(?:npm|pypi):\S+@\S+$/, 'must be `npm:NAME@VERSION` or `pypi:NAME@VERSION`'),
        tree: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be `sha256:` and 64 hexadecimal digits'),
      })
      .optional(),
    auth: startedServerAuthSchema,
    ...serverBase,
  }),
  z.strictObject({
    transport: z.literal('http'),
    url: endpointAddressSchema,
    /** Fixed headers, for example `authorization: Bearer ${TOKEN}`; their credential id in decisions is `server:<name>`. */
    headers: z.record(z.string(), z.string()).default({}),
    auth: serverAuthSchema,
    ...serverBase,
  }),
  z.strictObject({ ...openapiServerFields, auth: serverAuthSchema, ...anyServer }),
])

export const gatewaySchema = z.strictObject({
  /** Servers whose tools this endpoint shows. */
  servers: z.array(serverNameSchema).min(1),
  /** Which of their tools: names or patterns of `server__tool`. */
  tools: z.array(patternSchema).default(['*']),
  instructions: z.string().optional(),
  /**
   * How clients see the names of tools and prompts: `server__tool`, or `original`, as their server calls them, where that is
   * unambiguous. Names of the first form are accepted in any case, and are what grants, contracts and rules know.
   */
  names: z.enum(['prefixed', 'original']).default('prefixed'),
  /**
   * What `tools/list` shows: every tool, or two by which clients search the tools and run what they find (`turnward__search_tools`,
   * `turnward__run_tool`), for catalogues that are too large for the context of a model.
   */
  listing: z.enum(['all', 'search']).default('all'),
  /** Tools that `listing: search` lists all the same: names or patterns of `server__tool`. */
  always: z.array(patternSchema).default([]),
  /** Whether clients of 2024-11-05 are answered at `/mcp/{gateway}/sse` too (HTTP with SSE). */
  sse: z.boolean().default(false),
  /** Names under which this gateway shows single tools: name -> `server__tool`. */
  aliases: z.record(toolNameSchema, z.string().min(1).max(64)).default({}),
})

export const contractSchema = z.strictObject({
  /** What a result of this tool adds to the label of the session. */
  output: z
    .strictObject({
      trust: z.string().optional(),
      /** Why no stranger can write what it returns, in words for the next administrator: `check` then says no more about its trust. */
      because: z.string().min(10).max(500).optional(),
      /** Who may receive the result: users, `@groups`, domains, `public`, or `$principal`. */
      audience: z.array(z.string().min(1)).min(1).optional(),
      /** The model never reads the result itself: it is withheld behind a handle, and bounded questions about it are answered. */
      as: z.enum(['quarantine']).optional(),
      /** Trust of bounded answers about a result that is withheld; not set: the trust of the result. Their audience is always its. */
      answers: z.string().optional(),
      /** It lists records as JSON or YAML, with ids that the server gives: see `record` of an argument. */
      records: recordsSchema.optional(),
    })
    .prefault({}),
  /** What a call does; any names, `mutation` and `egress` by convention. */
  effects: z.array(z.string().min(1)).default([]),
  /** CEL over `result.text` and `result.is_error`: whether a call the client ran succeeded, where the wire cannot say. */
  success: z.string().min(1).max(4096).optional(),
  requires: z
    .strictObject({
      trust: z.string().optional(),
      /** Arguments with which `trust` is not needed: `$args.command` -> shapes, one of which its value must have. */
      unless: z
        .record(z.string().regex(/^\$args(?:\.[^.$\s]{1,64}){1,16}$/, 'use `$args.<name>`'), z.array(z.enum(argumentShapeNames)).min(1))
        .optional(),
      audience: z.strictObject({ includes: z.array(z.string().min(1)).min(1) }).optional(),
      done: z.array(z.string()).default([]),
      not_done: z.array(z.string()).default([]),
      /** Once something untrusted was read: one of these words has to stand in what the person wrote, so that it is they who asked. */
      asked: z.array(z.string().trim().min(2).max(64)).min(1).max(64).optional(),
      /** A person has to approve the call. */
      approval: requiredApprovalSchema.optional(),
    })
    .prefault({}),
  /** What its arguments are for. With it, every argument that is not named counts as `authority`; see `values` too. */
  args: argumentsSchema.optional(),
  /** What it writes is read back under the label it was written with: what it is written and read under. */
  remembers: remembersSchema.optional(),
  /** Stands in the place of a contract of the same name in another file of the configuration. */
  override: z.boolean().optional(),
})

export const ruleSchema = z
  .strictObject({
    name: nameSchema,
    /** CEL over principal, actor, tool, args, session and gateway. */
    when: z.string().min(1).max(4096),
    /** `escalate`: the call waits for a person. */
    verdict: z.enum(['deny', 'warn', 'allow', 'escalate', 'modify']).superRefine((verdict, context) => {
      if (verdict !== 'allow' && verdict !== 'modify') return
      context.addIssue({
        code: 'custom',
        message: `\`verdict: ${verdict}\` is not available yet in this release`,
        params: { code: 'config.not_available' },
      })
    }),
    reason: z.string().min(1).max(500),
    /** With `verdict: escalate`. */
    ...escalationFields,
  })
  .superRefine(({ verdict, from, count, self }, context) => {
    if (verdict === 'escalate') return
    for (const [field, isSet] of [
      ['from', from.length > 0],
      ['count', count > 1],
      ['self', self],
    ] as const)
      if (isSet) context.addIssue({ code: 'custom', path: [field], message: 'only a rule with `verdict: escalate` has approvers' })
  })

export const policySchema = z.strictObject({
  posture: z.enum(['strict', 'standard', 'observe']).default('standard'),
  /**
   * A draft that is decided beside this policy: a configuration file, relative to this one. What it would have done otherwise is
   * recorded and counted, and has no effect.
   */
  shadow: z.string().min(1).max(1024).optional(),
  /** Trust ranks, least trusted first. */
  trust: z.array(nameSchema).min(2).max(16).default(['untrusted', 'trusted']),
  tools: z.strictObject({ hide: z.enum(['unreachable', 'never']).default('unreachable') }).prefault({}),
  /** Longest list a condition may walk, and how deep loops may nest. */
  conditions: z
    .strictObject({
      max_nodes: z.number().int().min(1).max(2000).default(200),
      max_loops: z.number().int().min(0).max(3).default(1),
      max_list: z.number().int().min(1).max(10_000).default(1000),
    })
    .prefault({}),
  resolvers: notAvailableYet('policy.resolvers'),
})

export const turnsSchema = z.strictObject({
  /** How often one client request may be answered again after all its calls were refused. */
  max_splices: z.number().int().min(0).max(16).default(4),
  /** How often the model is asked within one client request while tools of this gateway are run for it. */
  max_tool_rounds: z.number().int().min(1).max(256).default(32),
  /** What is refused beyond, in every posture. */
  caps: capsSchema.prefault({}),
  tickets: z.enum(['required', 'match', 'off']).default('match'),
  ticket_ttl_ms: millisecondsSchema.default(600_000),
  /** A session that is not used for this long is forgotten, label and all. */
  session_idle_ms: z
    .number()
    .int()
    .min(60_000)
    .max(30 * 24 * 3600 * 1000)
    .default(24 * 3600 * 1000),
  /** How long it is remembered under which label something was written that is read again (`remembers`). */
  remembered_ms: z
    .number()
    .int()
    .min(60_000)
    .max(3650 * 24 * 3600 * 1000)
    .default(90 * 24 * 3600 * 1000),
  max_sessions: z.number().int().min(10).max(10_000_000).default(100_000),
  /** What an assistant message nobody produced through the gateway means. */
  unknown_history: z.enum(['restrict', 'accept']).default('restrict'),
  /** Comment line sent while a stream is held, in milliseconds. */
  keep_alive_ms: millisecondsSchema.default(10_000),
  /**
   * After this long without a word of the upstream, a streamed answer begins with its head and comments, for edges in front
   * that give up sooner than a model begins; a failure is then told inside the stream. Not set: the head waits.
   */
  early_head_ms: millisecondsSchema.optional(),
  /** How long after a model call was offered a tool a call of it without a ticket may come from that conversation. */
  link_window_ms: millisecondsSchema.default(600_000),
  /** Silence after which what was read through MCP connections alone is over. */
  mcp_idle_ms: millisecondsSchema.default(900_000),
  /** Tools whose arguments name the tool to call: tool -> the arguments that have its name and its arguments. */
  call_through: z
    .record(
      z.string().min(1).max(128),
      z.strictObject({ name: z.string().min(1).default('name'), arguments: z.string().min(1).default('arguments') }),
    )
    .default({}),
  /** Whether the person reads a line in the answer when tools are withheld or a call was refused. */
  tell_user: z.enum(['once', 'never']).default('once'),
  quarantine: notAvailableYet('turns.quarantine'),
})

/** Answers of a dialect whose clients go on from an answer by its id, kept here instead of with the vendor. */
export const responsesSchema = z.strictObject({
  /** `false`: nothing is kept here, and what refers to a kept answer is refused by name. */
  keep: z.boolean().default(true),
  /** How long an answer is kept. At most `turns.session_idle_ms`, which it is unless it is set: beyond that nobody knows its label. */
  ttl_ms: z
    .number()
    .int()
    .min(60_000)
    .max(30 * 24 * 3600 * 1000)
    .optional(),
  /** Largest conversation that is kept with an answer, in bytes; and the most that the events of a stream take, packed. */
  max_bytes: z.number().int().min(1024).max(3_000_000).default(1_000_000),
  /** How much is kept for one caller, in answers and in bytes; the oldest go first. */
  max_kept: z.number().int().min(64).max(1_000_000).default(10_000),
  max_kept_bytes: z
    .number()
    .int()
    .min(1_000_000)
    .max(64 * 1024 * 1024 * 1024)
    .default(64 * 1024 * 1024),
  /** Answers in the background that run for one caller at a time; 0: none. */
  max_background: z.number().int().min(0).max(1000).default(8),
})
