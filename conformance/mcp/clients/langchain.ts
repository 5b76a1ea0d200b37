/** `@langchain/mcp-adapters`: tools become tools of LangChain, and are called as such. Prompts and unknown tools go by the client in it. */
import { MultiServerMCPClient } from '@langchain/mcp-adapters'
import { textOfContents, toolAnswer, type McpClient, type ToolAnswer } from './mcp-client.ts'
import { throughV1 } from './official-v1.ts'

const server = 'turnward'

interface Message {
  readonly content: string | readonly { readonly type: string; readonly text?: string; readonly image_url?: { readonly url: string } }[]
  readonly artifact?: readonly { readonly type: string; readonly data?: unknown; readonly resource?: { readonly uri: string } }[]
}

/** What a tool of LangChain gives, in the words of the protocol. Its images are `data:` URLs. */
function answerOf({ content, artifact = [] }: Message): ToolAnswer {
  const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : content
  return toolAnswer({
    content: [
      ...parts.map((part) => {
        const [, mimeType, data] = /^data:(.*);base64,(.*)$/.exec(('image_url' in part && part.image_url?.url) || '') ?? []
        return data === undefined ? part : { type: 'image', mimeType, data }
      }),
      ...artifact.filter(({ type }) => type === 'resource'),
    ],
    structuredContent: artifact.find(({ type }) => type === 'mcp_structured_content')?.data,
  })
}

export const langchain: McpClient = {
  name: '@langchain/mcp-adapters',
  can: ['progress', 'progress at once', 'cancellation'],
  async connect(url, key, { headers = {} } = {}) {
    let onProgressNow: ((progress: number) => void) | undefined
    const client = new MultiServerMCPClient({
      mcpServers: { [server]: { url, headers: { ...headers, Authorization: `Bearer ${key}` }, automaticSSEFallback: false } },
      onProgress: ({ progress }) => onProgressNow?.(progress),
    })
    const tools = await client.getTools()
    const inner = await client.getClient(server)
    if (inner === undefined) throw new Error('LangChain has no client for the endpoint')
    const { prompts, prompt, call } = throughV1(inner)
    return {
      tools: async () => tools.map(({ name }) => name),
      async call(name, args, options = {}) {
        const tool = tools.find((one) => one.name === name)
        if (tool === undefined) return call(name, args, options)
        onProgressNow = options.onProgress
        try {
          const { signal } = options
          return answerOf(
            (await tool.invoke(
              { type: 'tool_call', id: 'call_1', name, args: { ...args } },
              signal === undefined ? {} : { signal },
            )) as Message,
          )
        } catch (error) {
          // What a tool says of its failure is thrown.
          if (error instanceof Error && error.message.includes('returned an error:'))
            return { text: error.message, images: [], uris: [], structured: undefined, failed: true }
          throw error
        }
      },
      resources: async () => (await client.listResources(server))[server]?.map(({ uri }) => uri) ?? [],
      read: async (uri) => textOfContents(await client.readResource(server, uri)),
      prompts,
      prompt,
      close: () => client.close(),
    }
  },
}
