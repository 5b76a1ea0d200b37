/** Libraries that agents are built with. They send no id of a conversation; the log says which made a call. */
import type { ClientAdapter } from './client-adapter.ts'

/** Name -> what stands in the user agent. */
const userAgents: readonly (readonly [string, string])[] = [
  ['openai-agents', 'Agents/Python'],
  ['openai-agents', 'Agents/JavaScript'],
  ['pydantic-ai', 'pydantic-ai/'],
  ['langchain', 'langchain'],
  ['vercel-ai-sdk', 'ai-sdk/'],
]

export const frameworks: readonly ClientAdapter[] = userAgents.map(([name, text]) => ({
  name,
  made: ({ headers }) => headers['user-agent']?.includes(text) === true,
}))
