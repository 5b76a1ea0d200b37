/** The clients we know. A table: the first that made a request is the one whose rules apply. */
import { claudeCode } from './claude-code.ts'
import type { ClientAdapter, ClientRequest } from './client-adapter.ts'
import { codex } from './codex.ts'
import { opencode } from './opencode.ts'
import { sessionAffinity } from './session-affinity.ts'

export const clientAdapters: readonly ClientAdapter[] = [claudeCode, codex, opencode, sessionAffinity]

/** The client that made a request; undefined for one nobody described. */
export function clientOf(request: ClientRequest): ClientAdapter | undefined {
  return clientAdapters.find((client) => client.made(request))
}
