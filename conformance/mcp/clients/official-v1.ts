/** The MCP project's client of the first SDK, `@modelcontextprotocol/sdk`: what most applications still have in them. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { CreateMessageRequestSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import {
  textOfContents,
  textOfMessages,
  toolAnswer,
  type Answers,
  type CallOptions,
  type ConnectedClient,
  type McpClient,
} from './mcp-client.ts'

/** Connects it over a transport, which may be a bridge of somebody else. */
export async function connectV1(transport: Transport, { elicitation, sampling }: Answers = {}): Promise<ConnectedClient> {
  const client = new Client(
    { name: 'v1', version: '1.0.0' },
    {
      capabilities: { ...(elicitation === undefined ? {} : { elicitation: {} }), ...(sampling === undefined ? {} : { sampling: {} }) },
    },
  )
  if (elicitation !== undefined)
    client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'accept' as const, content: elicitation }))
  if (sampling !== undefined)
    client.setRequestHandler(CreateMessageRequestSchema, async () => ({
      role: 'assistant' as const,
      model: 'test-model',
      content: { type: 'text' as const, text: sampling },
    }))
  await client.connect(transport)
  return throughV1(client)
}

/** One that is connected already. */
export function throughV1(client: Client): ConnectedClient {
  return {
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (tool, args, { signal, onProgress }: CallOptions = {}) =>
      toolAnswer(
        await client.callTool({ name: tool, arguments: args }, undefined, {
          ...(signal === undefined ? {} : { signal }),
          ...(onProgress === undefined ? {} : { onprogress: ({ progress }) => onProgress(progress) }),
        }),
      ),
    resources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
    read: async (uri) => textOfContents((await client.readResource({ uri })).contents),
    prompts: async () => (await client.listPrompts()).prompts.map(({ name }) => name),
    prompt: async (name, args) => textOfMessages((await client.getPrompt({ name, arguments: args })).messages),
    close: () => client.close(),
  }
}

/** From a stream of events it hears of progress only before it has read the result. */
const can = ['progress', 'cancellation', 'elicitation', 'sampling'] as const

export const officialV1: McpClient = {
  name: '@modelcontextprotocol/sdk',
  can: [...can, 'progress at once'],
  connect: (url, key, { headers = {}, answers } = {}) =>
    connectV1(
      // Its own type of a transport is stricter than its transports where optional members are exact.
      new StreamableHTTPClientTransport(new URL(url), {
        requestInit: { headers: { ...headers, authorization: `Bearer ${key}` } },
      }) as Transport,
      answers,
    ),
}

/** The transport of 2024-11-05. */
export const officialV1Sse: McpClient = {
  name: '@modelcontextprotocol/sdk over HTTP with SSE',
  can,
  connect: (url, key, { headers = {}, answers } = {}) =>
    connectV1(
      new SSEClientTransport(new URL(`${url}/sse`), { requestInit: { headers: { ...headers, authorization: `Bearer ${key}` } } }),
      answers,
    ),
}
