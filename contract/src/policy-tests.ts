/** The format of policy tests: what happens in a conversation step by step, and what has to become of each call. See docs/policy-tests.md. */
import { z } from 'zod'
import { actionSchema, gapRecordSchema } from './decision.ts'

const toolSchema = z.string().min(1).max(256)
const textSchema = z.string().max(1_000_000)
const argumentsSchema = z.record(z.string(), z.json())

/** What the server says of the tool, where that matters. */
const hintsSchema = z.strictObject({
  readOnlyHint: z.boolean().optional(),
  destructiveHint: z.boolean().optional(),
  openWorldHint: z.boolean().optional(),
})

/** What the session carries after a step. */
const carriedSchema = z.strictObject({ trust: z.string().optional(), audience: z.array(z.array(z.string())).optional() })

const saysSchema = z.strictObject({
  /** What the person writes. */
  says: textSchema,
})

const instructionsSchema = z.strictObject({
  /** What the operator writes: system and developer instructions. */
  instructs: textSchema,
})

const readSchema = z.strictObject({
  /** A tool whose result the model reads, whoever allowed it; the contract of the tool says under which label. */
  read: toolSchema,
  args: argumentsSchema.default({}),
  result: z.union([textSchema, z.json()]).default(''),
  hints: hintsSchema.optional(),
  /** What the session has to carry then. */
  carries: carriedSchema.optional(),
})

const callSchema = z.strictObject({
  /** A tool that the model proposes to call. */
  call: toolSchema,
  args: argumentsSchema.default({}),
  hints: hintsSchema.optional(),
  /** The name of the MCP gateway the call comes to; not set: proposed by a model. */
  gateway: z.string().optional(),
  /** A person who has approved exactly this call. */
  approved_by: z.string().optional(),
  /** What has to be done about the call. */
  expect: actionSchema.exclude(['hide']),
  verdict: z.enum(['allow', 'deny', 'warn']).optional(),
  /** Kinds of what the call lacks, all of them and no other. */
  gaps: z.array(gapRecordSchema.shape.kind).optional(),
  /** Lines of the configuration that have to be among those that decide: `contract mail__send`. */
  decided_by: z.array(z.string()).default([]),
  /** What its result says, if it runs. */
  result: z.union([textSchema, z.json()]).default(''),
  /** How it ends, if it runs. `open`: it has not come back yet. */
  ends: z.enum(['done', 'failed', 'open']).default('done'),
  carries: carriedSchema.optional(),
})

/** A step by the key that says what it is. */
export const policyTestStepSchemas = { call: callSchema, read: readSchema, says: saysSchema, instructs: instructionsSchema } as const

/** The file without its steps, which are read one by one. */
export const policyTestsSchema = z.strictObject({
  cases: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(200),
        /** A principal of the configuration; or one with these groups, or who comes this way. */
        who: z.union([
          z.string().min(1),
          z.strictObject({
            principal: z.string().min(1),
            groups: z.array(z.string()).optional(),
            actor: z.string().optional(),
            consumer: z.string().optional(),
            issuer: z.string().optional(),
          }),
        ]),
        steps: z.array(z.record(z.string(), z.unknown())).min(1).max(1000),
      }),
    )
    .min(1)
    .max(1000),
})

export type PolicyTestCall = z.infer<typeof callSchema>
export type PolicyTestRead = z.infer<typeof readSchema>
export type PolicyTestStep = PolicyTestCall | PolicyTestRead | z.infer<typeof saysSchema> | z.infer<typeof instructionsSchema>
export type PolicyTestWho = z.infer<typeof policyTestsSchema>['cases'][number]['who']
