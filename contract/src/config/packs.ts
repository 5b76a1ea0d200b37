/**
 * Names of the contract packs that ship with the gateway: reviewed contracts for the built-in tools of agents, and for
 * the tools of common MCP servers.
 */
import { z } from 'zod'
import { serverNameSchema } from './common.ts'

export const agentPackNames = ['claude-code', 'codex', 'gemini-cli', 'opencode', 'qwen-code', 'cline'] as const

export const serverPackNames = [
  'filesystem',
  'memory',
  'fetch',
  'playwright',
  'git',
  'github',
  'gitlab',
  'slack',
  'gmail',
  'google-drive',
  'google-calendar',
  'notion',
  'jira',
  'confluence',
  'linear',
  'postgres',
  'sqlite',
  'sentry',
  'stripe',
  'aws',
  'kubernetes',
] as const

export const packNames = [...agentPackNames, ...serverPackNames] as const

const packNameSchema = z.enum(packNames)

/** A pack an administrator can name under `packs`. */
export type PackName = z.output<typeof packNameSchema>
export type AgentPackName = (typeof agentPackNames)[number]
export type ServerPackName = (typeof serverPackNames)[number]

/** Which configured servers a pack is for: pack -> one server, or several of the same kind. */
const packBindingSchema = z.partialRecord(z.enum(serverPackNames), z.union([serverNameSchema, z.array(serverNameSchema).min(1).max(64)]))

/**
 * A pack: of an agent by its name; of an MCP server by its name where the server is configured under that very name, else as
 * `{ github: gh }`.
 */
export const packUseSchema = z.union([packNameSchema, packBindingSchema])

export type PackUse = z.output<typeof packUseSchema>
