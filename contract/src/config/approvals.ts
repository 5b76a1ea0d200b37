/** Who rules on calls that wait for a person, for how long they wait, and who is told. */
import { z } from 'zod'
import { endpointAddressSchema } from './addresses.ts'

/** What of a call an approval may stand in for, where it would otherwise be refused. */
export const replaceableGapSchema = z.enum(['trust', 'audience', 'provenance'])

const termsFields = {
  /** Who may approve: declared principals, groups, or people that an identity provider names, by their ids. Not set: `approvals.from`. */
  from: z.array(z.string().min(1).max(320)).max(64).default([]),
  /** How many different people have to approve it; 2: four eyes. */
  count: z.number().int().min(1).max(8).default(1),
  /** Whether the principal of the call may be one of them. */
  self: z.boolean().default(false),
}

/** `requires.approval` of a contract. */
export const requiredApprovalSchema = z.strictObject({
  /** CEL over principal, actor, tool, args, session and gateway: the calls that wait. Not set: all of them, unless `instead_of` says which. */
  when: z.string().min(1).max(4096).optional(),
  /** What an approval stands in for: a call that lacks nothing but this waits for a person instead of being refused. */
  instead_of: z.array(replaceableGapSchema).default([]),
  ...termsFields,
})

/** Of a rule with `verdict: escalate`. */
export const escalationFields = {
  from: termsFields.from,
  count: termsFields.count,
  self: termsFields.self,
}

const hourMs = 3_600_000

export const approvalsSchema = z.strictObject({
  /** Who approves where a contract or a rule names nobody. */
  from: termsFields.from,
  /** How long a call that waits is held, before its caller is told that it waits; 0: not at all. */
  hold_ms: z
    .number()
    .int()
    .min(0)
    .max(10 * 60_000)
    .default(30_000),
  /** After that an approval that nobody gave is refused, and one that was given and not used is gone. */
  expires_ms: z
    .number()
    .int()
    .min(1000)
    .max(30 * 24 * hourMs)
    .default(hourMs),
  /** Calls that may wait at a time; what comes beyond is refused. */
  max_pending: z
    .strictObject({
      principal: z.number().int().min(1).max(10_000).default(64),
      session: z.number().int().min(1).max(1000).default(16),
    })
    .prefault({}),
  /** Longest arguments a person is asked about, in bytes of canonical JSON; they are shown whole or not at all. */
  max_bytes: z
    .number()
    .int()
    .min(1024)
    .max(256 * 1024)
    .default(64 * 1024),
  /** Whether the person at an MCP client may be asked there, where the client offers it and the terms let them approve their own calls. */
  elicitation: z.boolean().default(true),
  /** Is told of every call that waits. */
  webhook: z
    .strictObject({
      url: endpointAddressSchema,
      /** Signs what is sent: HMAC-SHA256 over the time and the body. At least 32 characters. */
      secret: z.string().min(32).max(1024),
      /** How often it is told again when it could not be told. */
      retries: z.number().int().min(0).max(8).default(4),
      /** Whether the arguments of the call are sent as well. */
      arguments: z.boolean().default(false),
    })
    .optional(),
})
