/** Lines of `grants`: who may use what, and who may not. */
import { z } from 'zod'
import { nameSchema, notAvailableYet, patternSchema } from '../common.ts'

/** A name that an identity provider or an edge may choose: a person's id, a group. */
const toldNameSchema = z.string().min(1).max(256)

const named = {
  /** Names or patterns. */
  models: z.array(patternSchema).default([]),
  gateways: z.array(patternSchema).default([]),
  /** Everything of these MCP servers: tools, resources and prompts. */
  servers: z.array(patternSchema).default([]),
  tools: z.array(patternSchema).default([]),
}

export const grantSchema = z
  .strictObject({
    /** Who: any of these principals and groups. `*` under principals is everyone. */
    principals: z.array(toldNameSchema).default([]),
    groups: z.array(toldNameSchema).default([]),
    /** Only where the call comes through one of these applications. */
    consumers: z.array(toldNameSchema).min(1).optional(),
    /** Only where one of these agents acts for the principal. */
    actors: z.array(toldNameSchema).min(1).optional(),
    /** Only where one of these issuers speaks for the principal. */
    issuers: z.array(nameSchema).min(1).optional(),
    /** What they may use. */
    ...named,
    /** What they may not use, whatever else allows it. */
    forbid: z.strictObject(named).optional(),
    agents: notAvailableYet('grants[].agents'),
  })
  .refine(
    ({ principals, groups, consumers, actors, issuers }) =>
      principals.length + groups.length > 0 || consumers !== undefined || actors !== undefined || issuers !== undefined,
    'name at least one principal, group, consumer, actor or issuer',
  )
