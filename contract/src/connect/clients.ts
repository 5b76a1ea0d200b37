/** The clients that can be connected: one line for each. */
import { claudeCode, codex, cursor, geminiCli, openCode, vsCode } from './coding-agents.ts'
import type { ConnectedClient } from './connected-client.ts'
import { aiSdk, anthropicSdk, curl, googleSdk, langChain, openAiSdk } from './programs.ts'

const table = {
  'claude-code': claudeCode,
  codex,
  'gemini-cli': geminiCli,
  opencode: openCode,
  cursor,
  vscode: vsCode,
  openai: openAiSdk,
  anthropic: anthropicSdk,
  google: googleSdk,
  'ai-sdk': aiSdk,
  langchain: langChain,
  curl,
} satisfies Readonly<Record<string, ConnectedClient>>

export type ConnectedClientId = keyof typeof table

export const connectedClients: Readonly<Record<ConnectedClientId, ConnectedClient>> = table

export const connectedClientIds: readonly ConnectedClientId[] = Object.keys(table).filter(isConnectedClientId)

/** Whether the text names a client of the table. */
export function isConnectedClientId(text: string): text is ConnectedClientId {
  return Object.hasOwn(table, text)
}

/** The model to begin with, of those a route serves (`*` in a name stands for anything): one of the client's kind, if there is one. */
export function modelFor({ model: { usual, begins } }: ConnectedClient, served: readonly string[]): string {
  const names = served.filter((name) => !name.includes('*'))
  const own = names.find((name) => name.startsWith(begins))
  if (own !== undefined) return own
  const isServed = served.some((name) => name.endsWith('*') && usual.startsWith(name.slice(0, -1)))
  return isServed ? usual : (names[0] ?? usual)
}
