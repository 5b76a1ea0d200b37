/** How verbs reach a running gateway as an agent would: its address, an MCP gateway of it, and a key. */
import type { Command } from 'commander'
import { TurnwardError } from '../core/error.ts'
import { checkKey, openMcpClient, type McpClient } from './mcp-client.ts'
import { jsonOption, urlOption } from './shared-options.ts'

export interface ConnectionOptions {
  readonly url: string
  readonly gateway: string
  readonly key?: string
  readonly session?: string
  readonly json?: boolean
}

export function withConnection(command: Command): Command {
  return command
    .addOption(urlOption())
    .option('--gateway <name>', 'MCP gateway', 'main')
    .option('--key <key>', 'virtual key; better in the variable TURNWARD_KEY, which no process list shows')
    .option('--session <name>', 'join this session (`x-turnward-session`)')
    .addOption(jsonOption())
}

/** Rejects with `auth.*` when the gateway does not take the key. */
export async function connect(options: ConnectionOptions): Promise<McpClient> {
  const key = options.key ?? process.env.TURNWARD_KEY
  if (key === undefined) throw new TurnwardError('auth.missing_key', { fix: 'Set TURNWARD_KEY or use --key.' })
  const url = options.url.replace(/\/$/, '')
  await checkKey(url, key)
  const session: Record<string, string> = options.session === undefined ? {} : { 'x-turnward-session': options.session }
  return openMcpClient(`${url}/mcp/${encodeURIComponent(options.gateway)}`, key, session)
}
