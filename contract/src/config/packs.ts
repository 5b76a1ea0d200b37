/** Names of the contract packs that ship with the gateway: reviewed contracts for the built-in tools of agents. */
import { z } from 'zod'

export const packNames = ['claude-code', 'codex', 'gemini-cli', 'opencode', 'qwen-code', 'cline'] as const

export const packNameSchema = z.enum(packNames)

/** A pack an administrator can name under `packs`. */
export type PackName = z.output<typeof packNameSchema>
