/** What agents did, turn by turn: `/api/turns`. Names as in the decision record, which all of it is made of. */
import { z } from 'zod'
import { actionSchema, decisionRecordSchema, gapRecordSchema, labelRecordSchema, remedyRecordSchema } from '../decision.ts'
import { cursorSchema, limitSchema, momentSchema, nameSchema, timeSchema } from './shared.ts'

const { shape } = decisionRecordSchema

/** How a decided call ended; all absent while it runs, or when it ended unrecorded. */
export const callResultSchema = z.object({
  outcome: shape.outcome,
  errorCode: shape.errorCode,
  latencyMs: shape.latencyMs,
  usage: shape.usage,
  cost: shape.cost,
})
export type CallResult = z.infer<typeof callResultSchema>

/** What every step has in common. */
export const turnStepSchema = callResultSchema.extend({
  decision: z.string().meta({ description: 'Id of the decision, and of its outcome.' }),
  time: z.number().meta({ description: 'Unix milliseconds of the decision.' }),
  subject: z.string().meta({ description: 'Model or tool.' }),
  verdict: shape.verdict,
  action: shape.action,
  reason: z.string(),
  rules: z.array(z.string()),
  gaps: z.array(gapRecordSchema).meta({ description: 'What was missing; empty for a call that was simply allowed.' }),
  remedies: z.array(remedyRecordSchema).meta({ description: 'What would allow it.' }),
  credential: z.string().nullable().meta({ description: 'Name of the credential it ran with; `none` where the hop needs none.' }),
  revision: z.string(),
  shadow: shape.shadow.meta({ description: 'What the draft beside the policy would have done, where that is something else.' }),
  calledAs: z.string().optional().meta({ description: 'The name the model used, where it means `subject` under another.' }),
  agent: z.string().optional().meta({ description: 'Session of the sub-agent that made the call; absent for the session of the turn.' }),
  approval: z.string().optional().meta({ description: 'The approval it ran on, or waits for.' }),
})
export type TurnStep = z.infer<typeof turnStepSchema>

export const toolCallStepSchema = turnStepSchema
  .extend({
    toolCallId: z.string().nullable(),
    gateway: z.string().nullable(),
    ticket: shape.ticket,
    toolDigest: z.string().optional().meta({ description: 'Of the definition that was decided on.' }),
  })
  .meta({ id: 'ToolCallStep' })
export type ToolCallStep = z.infer<typeof toolCallStepSchema>

/** A tool call a model asked for. */
export const proposalStepSchema = turnStepSchema
  .extend({
    toolCallId: z.string().nullable(),
    toolDigest: z.string().optional().meta({ description: 'Of the definition that was decided on.' }),
    ran: z.array(toolCallStepSchema).meta({ description: 'The calls that came of it.' }),
  })
  .meta({ id: 'ProposalStep' })
export type ProposalStep = z.infer<typeof proposalStepSchema>

export const modelCallStepSchema = turnStepSchema
  .extend({
    modelCall: z.string().nullable().meta({ description: '`mc_…`' }),
    upstream: z.string().nullable(),
    routing: shape.routing.meta({ description: 'Why it went there, where there are several upstreams.' }),
    hedged: shape.hedged.meta({ description: 'Upstreams that were asked at the same time, and who began first.' }),
    client: z.string().optional().meta({ description: 'The known client that made the call.' }),
    hidden: z.array(z.string()).meta({ description: 'Tools the model was not offered.' }),
    proposals: z.array(proposalStepSchema),
  })
  .meta({ id: 'ModelCallStep' })
export type ModelCallStep = z.infer<typeof modelCallStepSchema>

/** The tokens of a conversation, counted by a vendor or estimated. */
export const tokenCountStepSchema = turnStepSchema.extend({ upstream: z.string().nullable() }).meta({ id: 'TokenCountStep' })
export type TokenCountStep = z.infer<typeof tokenCountStepSchema>

/** A moment at which a session became more restricted. */
export const labelGainSchema = z
  .object({
    time: z.number(),
    decision: z.string().meta({ description: 'Of the record that says so: the decision of the tool call, or an admission of its own.' }),
    subject: z.string().meta({ description: 'The tool whose result did it.' }),
    before: labelRecordSchema,
    after: labelRecordSchema,
    agent: z.string().optional().meta({ description: 'Session of the sub-agent whose label it is; absent for the session of the turn.' }),
  })
  .meta({ id: 'LabelGain' })
export type LabelGain = z.infer<typeof labelGainSchema>

/** A call that did not happen, and what would help. */
export const refusedCallSchema = z
  .object({
    decision: z.string(),
    kind: shape.kind,
    subject: z.string(),
    reason: z.string(),
    rules: z.array(z.string()),
    gaps: z.array(gapRecordSchema),
    remedies: z.array(remedyRecordSchema),
  })
  .meta({ id: 'RefusedCall' })
export type RefusedCall = z.infer<typeof refusedCallSchema>

/** Tokens and dollars of several calls. */
export const totalsSchema = z
  .object({
    inputTokens: z.number().meta({ description: 'Those of caches among them.' }),
    outputTokens: z.number(),
    cost: z.number().meta({ description: 'In dollars. What has no known price counts nothing in it.' }),
    unpriced: z.array(z.string()).meta({ description: 'Models without a known price: what they cost is not in `cost`.' }),
  })
  .meta({ id: 'Totals' })
export type Totals = z.infer<typeof totalsSchema>

export const turnTreeSchema = z.object({
  turn: z.string().nullable(),
  session: z.string().nullable(),
  principal: z.string().nullable(),
  groups: z.array(z.string()).meta({ description: 'Those the principal had.' }),
  issuer: z.string().nullable().meta({ description: 'Whose word it is that this is the principal; null for a virtual key.' }),
  actor: z.string().nullable(),
  actors: z.array(z.string()).meta({ description: 'Who acts for whom, the nearest first.' }),
  consumer: z.string().nullable(),
  key: z.string().nullable().meta({ description: 'Name of the credential the caller used.' }),
  started: z.number().nullable().meta({ description: 'Unix milliseconds of the first record.' }),
  ended: z.number().nullable().meta({ description: 'Unix milliseconds of the last record.' }),
  modelCalls: z.array(modelCallStepSchema),
  tokenCounts: z.array(tokenCountStepSchema),
  otherCalls: z
    .array(z.union([proposalStepSchema, toolCallStepSchema]))
    .meta({ description: 'Tool calls and proposals that no model call of this turn accounts for.' }),
  labels: z.array(labelGainSchema).meta({ description: 'What each step added to the label.' }),
  refused: z.array(refusedCallSchema).meta({ description: 'Refused calls, with why and what would allow them.' }),
  label: labelRecordSchema.nullable().meta({ description: 'Label after the last record that has one.' }),
  totals: totalsSchema,
})
export type TurnTree = z.infer<typeof turnTreeSchema>

/** `GET /api/turns/{id}` */
export const turnSchema = turnTreeSchema
  .extend({
    records: z.int().meta({ description: 'How many records it is made of.' }),
    truncated: z
      .boolean()
      .meta({ description: 'Whether the turn has more records than are read for one answer: the last ones are left out.' }),
  })
  .meta({ id: 'Turn' })

/** What a turn and a session are listed with. */
const summary = {
  principal: z.string(),
  groups: z.array(z.string()),
  actor: z.string().nullable(),
  consumer: z.string().nullable(),
  key: z.string().nullable().meta({ description: 'Name of the credential the caller used.' }),
  client: z.string().nullable().meta({ description: 'The known client that made the model calls.' }),
  first: timeSchema.meta({ description: 'Unix milliseconds of the earliest record.' }),
  last: timeSchema.meta({ description: 'Unix milliseconds of the latest record.' }),
  records: z.int(),
  modelCalls: z.int().meta({ description: 'Those that have ended, or were refused.' }),
  proposals: z.int().meta({ description: 'Tool calls that models asked for.' }),
  toolCalls: z.int().meta({ description: 'Calls of servers that were decided on.' }),
  refusals: z.int().meta({ description: 'Calls of models and tools, and proposals, that were refused.' }),
  approvals: z.int().meta({ description: 'How often a person was asked.' }),
  models: z.array(z.string()),
  tools: z.array(z.string()),
  label: labelRecordSchema.nullable(),
  totals: totalsSchema,
  outcome: shape.outcome
    .unwrap()
    .nullable()
    .meta({ description: 'How the last model call ended; null while it goes on, or where there is none.' }),
}

export const turnSummarySchema = z.object({ turn: z.string(), session: z.string().nullable(), ...summary }).meta({ id: 'TurnSummary' })

const listed = {
  principal: nameSchema.optional(),
  agent: nameSchema.optional().meta({ description: 'The actor of its calls.' }),
  model: nameSchema.optional(),
  tool: nameSchema.optional().meta({ description: 'As `server__tool`: proposed or called.' }),
  verdict: shape.verdict.optional().meta({ description: 'That any of its records has.' }),
  action: actionSchema.optional().meta({ description: 'That any of its records has: `refuse` finds where something was refused.' }),
  label: nameSchema.optional().meta({ description: 'A trust that its label has had.' }),
  from: momentSchema.optional().meta({ description: 'Begun not before: Unix milliseconds, or ISO 8601.' }),
  to: momentSchema.optional().meta({ description: 'Begun before: Unix milliseconds, or ISO 8601.' }),
  cursor: cursorSchema.optional(),
  limit: limitSchema(50, 200),
}

/** `GET /api/turns` */
export const turnsQuerySchema = z.strictObject({ session: nameSchema.optional(), ...listed })

const nextSchema = z.string().nullable().meta({ description: 'Cursor of what comes after; null at the end.' })

export const turnsSchema = z.object({
  turns: z
    .array(turnSummarySchema)
    .meta({ description: 'Those that began last first. What has happened in the last second or so is not in it yet.' }),
  next: nextSchema,
})

export const sessionSummarySchema = z
  .object({ session: z.string(), turns: z.int().meta({ description: 'How many have begun in it.' }), ...summary })
  .meta({ id: 'SessionSummary' })

/** `GET /api/sessions` */
export const sessionsQuerySchema = z.strictObject(listed)

export const sessionsSchema = z.object({
  sessions: z.array(sessionSummarySchema).meta({ description: 'Those that began last first.' }),
  next: nextSchema,
})

/** `GET /api/sessions/{id}` */
export const sessionSchema = sessionSummarySchema
  .extend({
    latest: z.array(turnSummarySchema).meta({ description: 'Its turns that began last; all of them are in `GET /api/turns?session=`.' }),
  })
  .meta({ id: 'Session' })
