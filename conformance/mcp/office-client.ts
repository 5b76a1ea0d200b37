/** An official client at the office: one session each, and results as the policy suites look at them. */
import { randomUUID } from 'node:crypto'
import type { Client } from '@modelcontextprotocol/client'
import type { Json } from '../harness/json.ts'
import { connectClient, textOf, type modes } from './official-client.ts'
import { ada, type Office } from './office.ts'

/** A client that names its session, which nobody else has: without a name, everything of one owner is one session. */
export function freshClient(at: Office, key = ada, mode: (typeof modes)[number][1] = 'auto'): Promise<Client> {
  return connectClient(at.gateway.url, key, { mode, headers: { 'x-turnward-session': `office-${randomUUID()}` } })
}

export interface Called {
  readonly text: string
  readonly refused: boolean
  readonly refusal: Json | undefined
}

/** Calls `office__<tool>`. */
export async function call(client: Client, tool: string, args: Json = {}): Promise<Called> {
  const result = await client.callTool({ name: `office__${tool}`, arguments: args })
  const refusal = (result._meta as Json | undefined)?.['dev.turnward/refusal'] as Json | undefined
  return { text: textOf(result), refused: refusal !== undefined, refusal }
}
