/** `@ai-sdk/mcp`, the client in the Vercel AI SDK: it looks for the modern era first unless told not to. */
import { createMCPClient, ElicitationRequestSchema } from '@ai-sdk/mcp'
import { textOfContents, textOfMessages, toolAnswer, type McpClient } from './mcp-client.ts'

/** With or without its look for the modern era. */
export function aiSdk(discovery: boolean): McpClient {
  return {
    name: `@ai-sdk/mcp ${discovery ? 'with' : 'without'} discovery`,
    // In the legacy era it stops listening and says nothing, which cancels nothing there.
    can: ['elicitation', ...(discovery ? (['cancellation'] as const) : [])],
    async connect(url, key, { headers = {}, answers = {} } = {}) {
      const { elicitation } = answers
      const client = await createMCPClient({
        transport: { type: 'http', url, headers: { ...headers, authorization: `Bearer ${key}` } },
        protocolVersionDiscovery: discovery,
        ...(elicitation === undefined ? {} : { capabilities: { elicitation: {} } }),
      })
      if (elicitation !== undefined)
        client.onElicitationRequest(ElicitationRequestSchema, async () => ({ action: 'accept', content: elicitation }))
      return {
        tools: async () => (await client.listTools()).tools.map(({ name }) => name),
        call: async (tool, args, { signal } = {}) =>
          toolAnswer(
            await client.callTool({ name: tool, arguments: { ...args }, ...(signal === undefined ? {} : { options: { signal } }) }),
          ),
        resources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
        read: async (uri) => textOfContents((await client.readResource({ uri })).contents),
        prompts: async () => (await client.listPrompts()).prompts.map(({ name }) => name),
        prompt: async (name, args) => textOfMessages((await client.getPrompt({ name, arguments: args })).messages),
        close: () => client.close(),
      }
    },
  }
}
