/** The MCP project's client of both eras, `@modelcontextprotocol/client`. */
import type { VersionNegotiationMode } from '@modelcontextprotocol/client'
import { connectClient } from '../official-client.ts'
import { textOfContents, textOfMessages, toolAnswer, type McpClient } from './mcp-client.ts'

/** In one of its modes; legacy versions it offers, where it is to offer fewer than it knows. */
export function officialV2(name: string, mode: VersionNegotiationMode, versions?: string[]): McpClient {
  return {
    name: `@modelcontextprotocol/client ${name}`,
    can: ['progress', 'progress at once', 'cancellation', ...(versions === undefined ? (['elicitation', 'sampling'] as const) : [])],
    async connect(url, key, { headers = {}, answers = {} } = {}) {
      const { elicitation, sampling } = answers
      const at = new URL(url)
      const client = await connectClient(at.origin, key, {
        mode,
        headers,
        gateway: at.pathname.replace('/mcp/', ''),
        ...(versions === undefined ? {} : { versions }),
        capabilities: {
          ...(elicitation === undefined ? {} : { elicitation: { form: {} } }),
          ...(sampling === undefined ? {} : { sampling: {} }),
        },
        prepare(asked) {
          if (elicitation !== undefined)
            asked.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: elicitation }))
          if (sampling !== undefined)
            asked.setRequestHandler('sampling/createMessage', async () => ({
              role: 'assistant',
              model: 'test-model',
              content: { type: 'text', text: sampling },
            }))
        },
      })
      return {
        tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
        call: async (tool, args, { signal, onProgress } = {}) =>
          toolAnswer(
            await client.callTool(
              { name: tool, arguments: args },
              {
                ...(signal === undefined ? {} : { signal }),
                ...(onProgress === undefined ? {} : { onprogress: ({ progress }) => onProgress(progress) }),
              },
            ),
          ),
        resources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
        read: async (uri) => textOfContents((await client.readResource({ uri })).contents),
        prompts: async () => (await client.listPrompts()).prompts.map((prompt) => prompt.name),
        prompt: async (prompt, args) => textOfMessages((await client.getPrompt({ name: prompt, arguments: args })).messages),
        close: () => client.close(),
      }
    },
  }
}
