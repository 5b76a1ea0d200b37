/** A server of the modern era that asks a model while it works, as often as it is told, and a person along with it. */
import { toNodeHandler } from '@modelcontextprotocol/node'
import { acceptedContent, createMcpHandler, inputRequired, McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { listening, type HttpUpstream } from './upstream-servers.ts'

const confirmation = z.object({ confirm: z.boolean() })

/** The text of the model's answer under this key. */
function answered(responses: unknown, key: string): string | undefined {
  const response = (responses as Record<string, { content?: { text?: string } }> | undefined)?.[key]
  return response?.content?.text
}

export async function startSamplingServer(): Promise<HttpUpstream> {
  const asks = (text: string, maxTokens = 100) =>
    inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text } }], maxTokens })
  const handler = createMcpHandler(
    () => {
      const server = new McpServer({ name: 'summaries', version: '1.0.0' })
      server.registerTool('rounds', { inputSchema: z.object({ times: z.number() }) }, async ({ times }, context) => {
        const before = Number(context.mcpReq.requestState() ?? 0)
        const said = answered(context.mcpReq.inputResponses, 'poem')
        if (said === undefined || before < times)
          return inputRequired({ inputRequests: { poem: asks(`Round ${before + 1}`) }, requestState: String(before + 1) })
        return { content: [{ type: 'text', text: `${before}: ${said}` }] }
      })
      server.registerTool('both', { inputSchema: z.object({}) }, async (_args, context) => {
        const confirmed = acceptedContent(context.mcpReq.inputResponses, 'confirm', confirmation)
        const said = answered(context.mcpReq.inputResponses, 'summary')
        if (confirmed === undefined || said === undefined)
          return inputRequired({
            inputRequests: {
              confirm: inputRequired.elicit({ message: 'Use the model?', requestedSchema: confirmation }),
              summary: asks('Summarise it', 1_000_000),
            },
            requestState: 'both',
          })
        return { content: [{ type: 'text', text: `${said} (${String(confirmed.confirm)})` }] }
      })
      return server
    },
    { legacy: 'reject' },
  )
  const handle = toNodeHandler(handler)
  const upstream = await listening((request, response) => void handle(request as Parameters<typeof handle>[0], response))
  return {
    ...upstream,
    async [Symbol.asyncDispose]() {
      await handler.close()
      await upstream[Symbol.asyncDispose]()
    },
  }
}
