/**
 * The configuration file: one strict schema. Unknown keys are errors, and parts a later release fills
 * are refused by name instead of being ignored.
 */
import { z } from 'zod'
import {
  contractSchema,
  gatewaySchema,
  policySchema,
  responsesSchema,
  ruleSchema,
  serverSchema,
  turnsSchema,
} from './config/agent-floor.ts'
import { baseAddressSchema } from './config/addresses.ts'
import { approvalsSchema } from './config/approvals.ts'
import { valueListSchema } from './config/argument-roles.ts'
import { nameSchema, notAvailableYet, patternSchema, serverNameSchema } from './config/common.ts'
import { batchesSchema, filesSchema } from './config/files.ts'
import { groupSchema, identitySchema, keySchema, principalSchema } from './config/identity.ts'
import { grantSchema } from './config/identity/grants.ts'
import { credentialSchema, routeSchema, upstreamSchema } from './config/model-floor.ts'
import { packUseSchema } from './config/packs.ts'
import { guardSchema } from './config/guards.ts'
import { templateNameSchema, templateSchema } from './config/templates.ts'
import { transformSchema } from './config/transforms.ts'
import { retrieverSchema } from './config/context.ts'
import { isolateSchema } from './config/isolate.ts'
import { managedSchema } from './config/managed.ts'
import { priceSchema } from './config/prices.ts'
import { quarantineSchema } from './config/quarantine.ts'
import { railsSchema } from './config/rails.ts'
import {
  auditSchema,
  clusterSchema,
  limitsSchema,
  listenSchema,
  stateSchema,
  storeSchema,
  telemetrySchema,
  workersSchema,
} from './config/operations.ts'

export const configSchema = z.strictObject({
  version: z.literal(1).default(1),
  /** More files or folders of files (`*.yaml`), merged into this one; a name declared twice is an error. */
  include: z.array(z.string()).default([]),
  /** Where keys, sessions and the decision log live; relative to the configuration file. */
  data_dir: z.string().min(1).default('.turnward'),
  listen: listenSchema.prefault({}),
  store: storeSchema.prefault({}),
  state: stateSchema.prefault({}),
  cluster: clusterSchema.optional(),
  workers: workersSchema,
  limits: limitsSchema.prefault({}),
  audit: auditSchema.prefault({}),
  telemetry: telemetrySchema.prefault({}),

  credentials: z.record(nameSchema, credentialSchema).default({}),
  upstreams: z.record(nameSchema, upstreamSchema).default({}),
  routes: z.array(routeSchema).default([]),
  /** What models cost where the prices that ship with the gateway do not say it. The first entry that fits counts. */
  prices: z.array(priceSchema).max(1000).default([]),

  groups: z.record(nameSchema, groupSchema).default({}),
  principals: z.record(nameSchema, principalSchema).default({}),
  keys: z.record(nameSchema, keySchema).default({}),
  grants: z.array(grantSchema).default([]),
  identity: identitySchema.prefault({}),

  servers: z.record(serverNameSchema, serverSchema).default({}),
  gateways: z.record(nameSchema, gatewaySchema).default({}),
  /**
   * Contracts that ship with the gateway: for the built-in tools of agents (`claude-code`), and for the tools of MCP servers
   * (`github`, or `{ github: gh }` where the server has another name); see `turnward policy show --effective`.
   */
  packs: z.array(packUseSchema).max(256).default([]),
  contracts: z.record(patternSchema, contractSchema).default({}),
  /** Named lists of values: accounts that are paid, hosts that are partners. */
  values: z.record(nameSchema, valueListSchema).default({}),
  rules: z.array(ruleSchema).default([]),
  policy: policySchema.prefault({}),
  /** Calls that wait for a person. */
  approvals: approvalsSchema.prefault({}),
  /** Answers questions about results that no other model may read. */
  quarantine: quarantineSchema.optional(),
  /** What answers may carry to people after untrusted content was read. Not set: everything. */
  rails: railsSchema.optional(),
  /** What models may be told and may answer, by name; routes list them. */
  guards: z.record(nameSchema, guardSchema).default({}),
  /** Prompts with blanks that callers fill in, by name; routes say which may be called. */
  templates: z.record(templateNameSchema, templateSchema).default({}),
  /** Changes of fields of requests and answers, by name; routes list them. */
  transforms: z.record(nameSchema, transformSchema).default({}),
  /** Services that are asked for passages about what a person has said, by name; routes list them. */
  context: z.record(serverNameSchema, retrieverSchema).default({}),
  isolate: isolateSchema.optional(),
  turns: turnsSchema.prefault({}),
  responses: responsesSchema.prefault({}),
  files: filesSchema.prefault({}),
  batches: batchesSchema.prefault({}),
  /** Objects that are made over the administration API beside those of the file. */
  managed: managedSchema.prefault({}),

  consumers: notAvailableYet('consumers'),
  agents: notAvailableYet('agents'),
  budgets: notAvailableYet('budgets'),
  rate_limits: notAvailableYet('rate_limits'),
  cache: notAvailableYet('cache'),
  console: notAvailableYet('console'),
})

/** The configuration after validation, every default filled in. Keys are as in the file (snake_case). */
export type Config = z.output<typeof configSchema>
export type ServerConfig = Config['servers'][string]
export type OpenapiServerConfig = Extract<ServerConfig, { transport: 'openapi' }>
export type UpstreamConfig = Config['upstreams'][string]
export type RetrieverConfig = Config['context'][string]
export type TransformConfig = Config['transforms'][string]
export type GuardConfig = Config['guards'][string]
export type ContractConfig = Config['contracts'][string]

/** Whether requests can go to paths below this address: what a configured `base_url` must be, for one that a document says. */
export function isBaseAddress(text: string): boolean {
  return baseAddressSchema.safeParse(text).success
}

/** JSON Schema (2020-12) of the configuration file, for editors. */
export function configJsonSchema(): object {
  return z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' })
}
