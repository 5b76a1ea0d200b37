/** The policy: what is in effect, one call decided and not made, a draft that is checked, and tried on what is on record. */
import { z } from 'zod'
import { actionSchema, gapRecordSchema, labelRecordSchema, remedyRecordSchema } from '../decision.ts'
import { objectValueSchema } from './config.ts'
import { nameSchema, timeSchema } from './shared.ts'

const longestDraft = 1_000_000

const draftText = 'The text of a configuration file, as if it lay beside the one that runs.'
const draftSchema = z.string().max(longestDraft).meta({ description: draftText })
/** Checked again and again, while calls of agents wait. */
const shortDraftSchema = z.string().max(250_000).meta({ description: draftText })

export const replayRequestSchema = z.strictObject({
  since: z.string().max(64).default('24h').meta({ description: 'An ISO date, or a span such as 24h.' }),
  turn: nameSchema.optional().meta({ description: 'Only this turn, whenever it was.' }),
  session: nameSchema.optional().meta({ description: 'Only this session, whenever it was.' }),
  draft: draftSchema,
})

const lines = { tool: z.string(), principal: z.string(), count: z.int(), turns: z.array(z.string()) }

export const replaySchema = z
  .object({
    decisions: z.int(),
    same: z.int(),
    otherReasons: z.int(),
    changed: z.int(),
    notKnown: z.int(),
    otherRevisions: z.int().meta({ description: 'Decisions that were made under another revision than the one that runs now.' }),
    changes: z.array(z.object({ ...lines, was: actionSchema, becomes: actionSchema, decidedBy: z.array(z.string()), reason: z.string() })),
    unknown: z.array(z.object({ ...lines, was: actionSchema, asks: z.array(z.object({ source: z.string(), needs: z.string() })) })),
    shortened: z.boolean(),
    revision: z.string(),
    draft: z.string().meta({ description: 'Revision of the draft.' }),
    from: timeSchema.nullable(),
    to: timeSchema.nullable(),
    truncated: z.boolean().meta({ description: 'Whether older records of the span were left out.' }),
  })
  .meta({ id: 'Replay' })

const lineFields = {
  managed: z.enum(['console', 'file', 'pack']).meta({ description: '`console`: it is changed over `/api/config`; `file`: in the file.' }),
  place: z
    .object({ source: z.string().meta({ description: 'The file, as seen from the one that runs.' }), line: z.int(), column: z.int() })
    .nullable()
    .meta({ description: 'Null for what no file says.' }),
}
const yamlSchema = z.string().meta({ description: 'As a file says it, with its section.' })

/** Where what is known of a tool comes from. */
export const coverageSchema = z.enum(['described', 'pack', 'undescribed']).meta({
  description: 'Who describes it: the configuration, a pack that ships, or nobody.',
})

const coverageCounts = z.object({ tools: z.int(), calls: z.int() })

export const policyQuerySchema = z.strictObject({
  since: z.enum(['24h', '7d', '30d']).default('7d').meta({ description: 'How far back calls are counted.' }),
})

export const policySchema = z
  .object({
    revision: z.string(),
    file: z.string().nullable().meta({ description: 'The configuration file that a draft includes.' }),
    posture: z.enum(['strict', 'standard', 'observe']),
    hide: z.enum(['unreachable', 'never']),
    trust: z.array(z.string()).meta({ description: 'Ranks, least trusted first.' }),
    packs: z.array(z.object({ pack: z.string(), server: z.string().nullable() })),
    rules: z
      .array(
        z.object({ name: z.string(), verdict: z.enum(['deny', 'warn', 'escalate']), reason: z.string(), yaml: yamlSchema, ...lineFields }),
      )
      .meta({ description: 'In their order.' }),
    contracts: z
      .array(
        z.object({
          pattern: z.string(),
          packs: z.array(z.string()),
          result: z.string().meta({ description: 'What reading its result adds.' }),
          does: z.string(),
          needs: z.string(),
          yaml: yamlSchema.nullable(),
          ...lineFields,
        }),
      )
      .meta({ description: 'The most specific first.' }),
    values: z.array(z.object({ name: z.string(), yaml: yamlSchema, ...lineFields })),
    coverage: z.object({ described: coverageCounts, pack: coverageCounts, undescribed: coverageCounts }),
    tools: z
      .array(
        z.object({
          tool: z.string(),
          server: z.string().nullable().meta({ description: 'Null for a tool that clients run.' }),
          coverage: coverageSchema,
          contract: z.string().nullable().meta({ description: 'The pattern of the contract that it gets.' }),
          calls: z.int(),
          refused: z.int(),
          observed: z.int().meta({ description: 'Calls that ran and would have been refused.' }),
          suggestion: yamlSchema.nullable().meta({ description: 'Of an undescribed one: a contract to begin with. It guesses: read it.' }),
        }),
      )
      .meta({ description: 'What servers list and what was called, by use.' }),
    shortened: z.boolean().meta({ description: 'There are more tools than are listed.' }),
    from: timeSchema.nullable().meta({ description: 'The first call that was counted.' }),
    truncated: z.boolean().meta({ description: 'Older calls of the span were not counted: too many.' }),
  })
  .meta({ id: 'Policy' })

const labelSchema = z.strictObject({
  trust: z.string().max(64).optional().meta({ description: 'A rank; the highest without it.' }),
  audience: z
    .array(z.array(z.string().min(1).max(512)).max(64))
    .max(64)
    .default([]),
})

export const simulationRequestSchema = z.strictObject({
  draft: shortDraftSchema.optional().meta({ description: 'Instead of what runs; as for a replay.' }),
  who: z
    .strictObject({
      principal: nameSchema.optional().meta({ description: 'Whom the call is for; without it, whoever asks.' }),
      groups: z.array(nameSchema).max(256).optional().meta({ description: 'Instead of those that are known.' }),
      agent: nameSchema.optional(),
      consumer: nameSchema.optional(),
      issuer: nameSchema.optional(),
    })
    .default({}),
  gateway: nameSchema.optional(),
  tool: nameSchema.meta({ description: '`server__tool`, or the name of a tool that clients run.' }),
  arguments: z.record(z.string(), z.unknown()).default({}),
  session: nameSchema.optional().meta({ description: 'A session of the principal as it is now, in the place of `label`.' }),
  label: labelSchema.optional().meta({ description: 'What the session has read; nothing without it.' }),
  said: z.string().max(20_000).optional().meta({ description: 'What the person has written, for values that need a source.' }),
})

const deciderSchema = z.object({
  source: z.string().meta({ description: 'As records have it: `rule interns-read-only`.' }),
  managed: lineFields.managed.nullable(),
  place: lineFields.place,
})

export const simulationSchema = z
  .object({
    revision: z.string(),
    draft: z.string().nullable().meta({ description: 'Revision of the draft.' }),
    tool: z.string(),
    server: z.string().nullable(),
    verdict: z.enum(['allow', 'deny', 'warn']),
    action: actionSchema,
    reason: z.string(),
    decidedBy: z.array(deciderSchema),
    gaps: z.array(gapRecordSchema),
    remedies: z.array(remedyRecordSchema),
    awaits: z.array(z.object({ source: z.string(), from: z.array(z.string()), count: z.int() })),
    contract: z.string().nullable(),
    labelBefore: labelRecordSchema,
    labelAfter: labelRecordSchema.meta({
      description: 'Of the session, once the result is read; of a call that does not go on, as before.',
    }),
    notes: z.array(z.string()).meta({ description: 'What a real call is decided on besides, and what is not known here.' }),
  })
  .meta({ id: 'Simulation' })

export const draftCheckRequestSchema = z.strictObject({ draft: shortDraftSchema })

export const draftCheckSchema = z
  .object({
    compiles: z.boolean(),
    problems: z.array(
      z.object({
        code: z.string(),
        message: z.string(),
        path: z.string(),
        file: z.string().nullable().meta({ description: 'Null: the draft.' }),
        line: z.int(),
        column: z.int(),
        suggestion: z.string().optional(),
      }),
    ),
    objects: z
      .record(z.string(), z.record(z.string(), objectValueSchema))
      .meta({ description: 'What the draft declares and `/api/config` can hold, by kind and name.' }),
    notHeld: z.array(z.object({ section: z.string(), why: z.string() })).meta({ description: 'What it declares besides.' }),
  })
  .meta({ id: 'DraftCheck' })
