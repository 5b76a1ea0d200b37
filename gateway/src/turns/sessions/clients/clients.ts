/** The clients we know. A table: the first that made a request is the one whose rules apply. */
import { aider } from './aider.ts'
import { claudeCode } from './claude-code.ts'
import type { ClientAdapter, ClientRequest } from './client-adapter.ts'
import { cline } from './cline.ts'
import { codex } from './codex.ts'
import { continueClient } from './continue.ts'
import { frameworks } from './frameworks.ts'
import { geminiCli } from './gemini-cli.ts'
import { goose } from './goose.ts'
import { opencode } from './opencode.ts'
import { qwenCode } from './qwen-code.ts'
import { sessionAffinity } from './session-affinity.ts'

// What stands in a header comes before what must be looked for in the words of a request.
export const clientAdapters: readonly ClientAdapter[] = [
  claudeCode,
  codex,
  opencode,
  qwenCode,
  geminiCli,
  goose,
  cline,
  continueClient,
  aider,
  ...frameworks,
  sessionAffinity,
]

/** The client that made a request; undefined for one nobody described. */
export function clientOf(request: ClientRequest): ClientAdapter | undefined {
  return clientAdapters.find((client) => client.made(request))
}

const everyAgentTool: ReadonlySet<string> = new Set(clientAdapters.flatMap(({ agentTools }) => [...(agentTools ?? [])]))

/** Names of tools that start a sub-agent; of a client nobody described, all that any other uses. */
export function agentToolsOf(client: ClientAdapter | undefined): ReadonlySet<string> {
  return client?.agentTools ?? everyAgentTool
}
