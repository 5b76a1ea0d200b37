/**
 * The stored record of the decision log: what was decided, for whom, on what grounds, and what came of it.
 * One `decision` record when something is decided, one `outcome` record when it ended.
 */
import { z } from 'zod'
import { actSchema, viaSchema } from './administration.ts'
import { balanceSchema } from './config/balancing.ts'

/** A label as stored: trust by name, audience as clauses (every clause must hold; none = public). */
export const labelRecordSchema = z.object({
  trust: z.string(),
  audience: z.array(z.array(z.string())),
})
export type LabelRecord = z.infer<typeof labelRecordSchema>

/**
 * What was enforced. `release`: it went on. `refuse`: it did not. `answer`: the gateway answers the call itself. `hold`: it
 * waits for a person. `observe`: it went on although it would have been refused. `hide`: it was left out of a list.
 */
export const actionSchema = z.enum(['release', 'refuse', 'answer', 'hold', 'observe', 'hide'])
export type Action = z.infer<typeof actionSchema>

export const usageRecordSchema = z.object({
  inputTokens: z.number().optional(),
  outputTokens: z.number().optional(),
  cacheReadTokens: z.number().optional(),
  cacheWriteTokens: z.number().optional(),
  /** Those of `cacheWriteTokens` that are kept for an hour, which some vendors charge more for. */
  cacheWriteLongTokens: z.number().optional(),
  /** Those of `outputTokens` that were thought and not said. */
  reasoningTokens: z.number().optional(),
  /** Those that were heard, and those that were spoken. */
  inputAudioTokens: z.number().optional(),
  outputAudioTokens: z.number().optional(),
})
export type UsageRecord = z.infer<typeof usageRecordSchema>

/** What a call has cost, by the prices that were known when it ended. */
export const costRecordSchema = z.object({
  /** To nine decimals. What has no known price counts nothing in it, and is named in `unpriced`. */
  amount: z.number(),
  currency: z.literal('USD'),
  /** The day of the prices (`2026-09-23`); `configuration` where `prices` says them all. */
  prices: z.string(),
  /** Models of the call without a known price. */
  unpriced: z.array(z.string()).optional(),
})
export type CostRecord = z.infer<typeof costRecordSchema>

/** What became of one guard in a call, as the record has it. Never what was found, only how often. */
export const guardRecordSchema = z.object({
  guard: z.string(),
  on: z.enum(['input', 'output']),
  action: z.enum(['block', 'redact', 'warn', 'open']),
  /** Kind of what was found -> how often. */
  found: z.record(z.string(), z.number()),
  /** Characters of the answer that had gone out before it was ended. */
  shown: z.number().optional(),
})
export type GuardRecord = z.infer<typeof guardRecordSchema>

export const gapRecordSchema = z.object({
  kind: z.enum([
    'grant',
    'undescribed',
    'trust',
    'audience',
    'done',
    'not_done',
    'rule',
    'argument',
    'ticket',
    'approval',
    'stop',
    'limit',
    'provenance',
  ]),
  /** What is missing, in words that never quote untrusted content. */
  detail: z.string(),
  /** The configuration that asks for it: `contract mail__send`, `rule interns-read-only`, `grants`. */
  source: z.string(),
})
export type GapRecord = z.infer<typeof gapRecordSchema>

export const remedyRecordSchema = z.object({
  kind: z.enum(['narrow', 'endorse', 'isolate', 'prerequisite', 'configure', 'approve']),
  detail: z.string(),
})
export type RemedyRecord = z.infer<typeof remedyRecordSchema>

export const decisionRecordSchema = z.object({
  /** Schema version of this record. */
  v: z.literal(1),
  /** `dec_…`; the outcome of a decision carries the same id. */
  id: z.string(),
  type: z.enum(['decision', 'outcome']),
  /** What was decided on. */
  kind: z.enum([
    'model_call',
    'token_count',
    'model_operation',
    'tool_proposal',
    'tool_call',
    'resource_read',
    'prompt_get',
    'completion',
    'task_update',
    'task_cancel',
    'tool_list',
    'admission',
    'authentication',
    'approval',
    'stop',
    'configuration',
  ]),
  /** Unix milliseconds. */
  time: z.number(),
  principal: z.string(),
  groups: z.array(z.string()).optional(),
  actor: z.string().nullable(),
  /** Who acts for whom, the nearest first, where there is more than one. */
  actors: z.array(z.string()).optional(),
  /** The issuer whose word it is that this is the principal; absent for a virtual key. */
  issuer: z.string().optional(),
  consumer: z.string().nullable().optional(),
  /** Id of the credential the caller used. */
  key: z.string().nullable(),
  session: z.string().nullable(),
  turn: z.string().nullable(),
  /** Model call this record belongs to: `mc_…`. */
  modelCall: z.string().nullable().optional(),
  /** The model's id of the tool call. */
  toolCallId: z.string().nullable().optional(),
  /** Model name, `server__tool`, `resource:server/uri` or `prompt:server/name`. */
  subject: z.string(),
  /** What was asked of a model that is no conversation: `embeddings`, `rerank`, … */
  operation: z.string().optional(),
  /** The name the model called the tool by, when it means the tool in `subject` under another. */
  calledAs: z.string().optional(),
  /** What the caller, or an edge in front, calls the request: its `x-request-id`. */
  requestId: z.string().optional(),
  /** The line of a batch that the call was made for: ids of both, as its caller knows them. */
  batch: z.object({ id: z.string(), customId: z.string() }).optional(),
  /** The decision on the request to a server, which asked for this model call while it worked. */
  askedBy: z.object({ server: z.string(), decision: z.string() }).optional(),
  /** What happened to an approval, and who did it. Of a call: the approval it ran on, or waits for. */
  approval: z
    .object({
      /** `ap_…` */
      id: z.string(),
      event: z.enum(['asked', 'approved', 'denied', 'used', 'expired']),
      /** Principal id of whoever ruled. */
      by: z.string().optional(),
      /** Where they ruled. */
      via: z.enum(['api', 'page', 'elicitation']).optional(),
      /** Whether they vouched for the values of the call as well, for the rest of the conversation. */
      endorsed: z.boolean().optional(),
      /** SHA-256 (hex) of what was asked: arguments, definition of the tool, principal, session, turn, and a number used once. */
      digest: z.string(),
    })
    .optional(),
  /** What an administrator was about to do, where the record is of that. */
  administration: z.object({ act: actSchema, via: viaSchema }).optional(),
  /** The known client that made the model call. */
  client: z.string().optional(),
  /** Kind of a side request of the client (`title`, `summary`), which belongs to no turn. */
  side: z.string().optional(),
  /** MCP gateway name, for tool calls at an MCP endpoint. */
  gateway: z.string().nullable().optional(),
  upstream: z.string().nullable().optional(),
  /** Pattern of the route that a model call took; absent where that is the name of the model. */
  route: z.string().optional(),
  /** Why it goes to this upstream, where there are several. */
  routing: z
    .object({
      /** How the route balances. */
      balance: balanceSchema,
      /** Why this one stands where it stands among them. */
      why: z.string(),
      /** 1 for the first that is asked. */
      attempt: z.number(),
      /** Others that come last because something is wrong there. */
      passedOver: z.array(z.object({ upstream: z.string(), why: z.string() })).optional(),
    })
    .optional(),
  /** Upstreams that were asked at the same time, because the first had not begun to answer, and the one that began first; null: none did. */
  hedged: z.array(z.object({ asked: z.array(z.string()), won: z.string().nullable() })).optional(),
  labelBefore: labelRecordSchema.nullable(),
  labelAfter: labelRecordSchema.nullable(),
  verdict: z.enum(['allow', 'deny', 'warn']),
  action: actionSchema,
  /** Names of what decided: grants, contracts and rules. */
  rules: z.array(z.string()),
  reason: z.string(),
  gaps: z.array(gapRecordSchema).optional(),
  remedies: z.array(remedyRecordSchema).optional(),
  /** What the draft beside the policy (`policy.shadow`) would have done; absent where that is the same, or where there is none. */
  shadow: z
    .object({
      /** Revision of the draft. */
      revision: z.string(),
      action: actionSchema,
      rules: z.array(z.string()),
      reason: z.string(),
      gaps: z.array(gapRecordSchema),
    })
    .optional(),
  /** SHA-256 (hex) of the canonical arguments; never the arguments themselves. */
  argumentsDigest: z.string().nullable().optional(),
  /** SHA-256 (hex) of the definition of the tool that was decided on, as its server listed it. Absent for tools that are not ours, or never listed. */
  toolDigest: z.string().optional(),
  /** SHA-256 (hex) of the result, for admissions and outcomes of tool calls. */
  resultDigest: z.string().nullable().optional(),
  /** Id of the provider or server credential used; `none` where the hop needs none. */
  credential: z.string().nullable(),
  revision: z.string(),
  outcome: z.enum(['ok', 'error', 'tool_error', 'cancelled', 'timeout', 'refused', 'asked', 'task']).optional(),
  errorCode: z.string().optional(),
  latencyMs: z.number().optional(),
  usage: usageRecordSchema.optional(),
  /** Of an outcome whose usage is known. */
  cost: costRecordSchema.optional(),
  /** Of a model call that was answered with what was kept of an earlier one: how old that was, in seconds. Nothing was sent. */
  cached: z
    .object({
      ageSeconds: z.number(),
      /** Of an answer to a question that only means the same: the cosine of the two. */
      similarity: z.number().optional(),
    })
    .optional(),
  /** Of a model call whose question could not be compared with those that are kept: the code of why. It went to an upstream. */
  cacheBypass: z.string().optional(),
  ticket: z.enum(['matched', 'none', 'not_needed']).optional(),
  traceId: z.string().optional(),
  /** Fields of the request that the upstream's dialect has no form for, and that were left out. */
  leftOut: z.array(z.string()).optional(),
  /** What of an answer was neutralised before people were shown it: addresses, and characters nobody sees. */
  neutralised: z.object({ links: z.number(), invisible: z.number() }).optional(),
  /** Templates that the request has called. */
  templates: z.array(z.string()).optional(),
  /** What has changed fields of the request or the answer. `skipped`: it could not, and the call went on; `refused`: it could not, and the call did not. */
  transforms: z
    .array(z.object({ name: z.string(), on: z.enum(['request', 'response']), result: z.enum(['applied', 'skipped', 'refused']) }))
    .optional(),
  /** What guards have found in the request and the answer, and what they did about it. */
  guards: z.array(guardRecordSchema).optional(),
  /** What retrievers have found that the model was given: whose it is, how many passages, and the SHA-256 (hex) of their text. `failed`: it could not be asked. */
  context: z
    .array(z.object({ source: z.string(), passages: z.number(), digest: z.string().nullable(), failed: z.literal(true).optional() }))
    .optional(),
  /** How long guards held back the beginning of a streamed answer, in milliseconds. */
  heldMs: z.number().optional(),
  /** Tools removed from what the model was offered. */
  hidden: z.array(z.string()).optional(),
})
export type DecisionRecord = z.infer<typeof decisionRecordSchema>
