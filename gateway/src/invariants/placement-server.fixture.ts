/** A real MCP server, written by a stranger: it says what it was told in the place it was told, and acts when it is asked to. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toNodeHandler } from '@modelcontextprotocol/node'
import {
  createMcpHandler,
  inputRequired,
  McpServer,
  ResourceTemplate,
  type CallToolResult,
  type InputRequiredResult,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'

/** Where the words of a stranger can stand. */
export const places = [
  'result text',
  'structuredContent',
  'error',
  '_meta',
  'embedded resource',
  'progress',
  'elicitation',
  'sampling',
  'sampling here',
  'resource',
  'prompt',
  'remembered note',
] as const

export type Place = (typeof places)[number]

/** One word of a stranger in one place, and what came of it. */
export interface Told {
  readonly place: Place
  readonly pieces: readonly string[]
  /** Settles when whoever reads what the call says meanwhile has acted on it. */
  readonly actedMeanwhile: Promise<void>
}

export interface StrangersServer extends AsyncDisposable {
  readonly url: string
  /** What is said in a case. */
  readonly told: Map<string, Told>
  /** Cases in which the tool that acts has run. */
  readonly acted: readonly string[]
}

const inCase = z.object({ case: z.string() })

export async function startStrangersServer(): Promise<StrangersServer> {
  const told = new Map<string, Told>()
  const acted: string[] = []
  const of = (name: string): Told => {
    const one = told.get(name)
    if (one === undefined) throw new Error(`no case is called ${name}`)
    return one
  }
  const handler = createMcpHandler(() => serverOf(of, acted), { legacy: 'reject' })
  const handle = toNodeHandler(handler)
  const server = createServer((request, response) => void handle(request as Parameters<typeof handle>[0], response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    told,
    acted,
    async [Symbol.asyncDispose]() {
      await handler.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

type Result = CallToolResult | InputRequiredResult

function serverOf(of: (name: string) => Told, acted: string[]): McpServer {
  const server = new McpServer({ name: 'strangers', version: '1.0.0' })
  server.registerTool('look', { inputSchema: inCase }, async ({ case: name }, call) => {
    const { place, pieces, actedMeanwhile } = of(name)
    return saying[place]?.(pieces, call, actedMeanwhile) ?? result(['Nothing.'])
  })
  server.registerTool('act', { inputSchema: inCase }, async ({ case: name }) => {
    acted.push(name)
    return { content: [{ type: 'text', text: 'done' }] }
  })
  // What stood there when it was written is what a stranger said.
  server.registerTool('note', { inputSchema: inCase }, async () => result(['noted']))
  server.registerTool('recall', { inputSchema: inCase }, async ({ case: name }) => result(of(name).pieces))
  const template = new ResourceTemplate('strangers://{case}', { list: undefined })
  server.registerResource('page', template, {}, async (uri, { case: name }) => ({
    contents: of(String(name)).pieces.map((text) => ({ uri: uri.href, text })),
  }))
  server.registerPrompt('advice', { argsSchema: inCase }, async ({ case: name }) => ({
    messages: of(name).pieces.map((text) => ({ role: 'user' as const, content: { type: 'text' as const, text } })),
  }))
  return server
}

const parts = (pieces: readonly string[]) => pieces.map((text) => ({ type: 'text' as const, text }))
const result = (pieces: readonly string[], more: Partial<CallToolResult> = {}): CallToolResult => ({ content: parts(pieces), ...more })
const answer = z.object({ answer: z.string() })

/** What a call brings, by the place in which the words of the stranger stand. */
const saying: Partial<
  Record<Place, (pieces: readonly string[], call: ServerContext, actedMeanwhile: Promise<void>) => Promise<Result> | Result>
> = {
  'result text': (pieces) => result(pieces),
  'remembered note': (pieces) => result(pieces),
  structuredContent: (pieces) => result(['See the structure.'], { structuredContent: { lines: [...pieces] } }),
  error: (pieces) => result(pieces, { isError: true }),
  _meta: (pieces) => result(['See beside.'], { _meta: { 'strangers.example/words': pieces } }),
  'embedded resource': (pieces) => ({
    content: pieces.map((text, at) => ({ type: 'resource' as const, resource: { uri: `strangers://part/${at}`, text } })),
  }),
  async progress(pieces, call, actedMeanwhile) {
    const progressToken = call.mcpReq._meta?.progressToken ?? 0
    for (const [at, message] of pieces.entries())
      await call.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: at + 1, message } })
    await actedMeanwhile
    return result(['Well.'])
  },
  elicitation(pieces, call) {
    if (call.mcpReq.inputResponses !== undefined) return result(['Thank you.'])
    const inputRequests = Object.fromEntries(
      pieces.map((message, at) => [`ask-${at}`, inputRequired.elicit({ message, requestedSchema: answer })]),
    )
    return inputRequired({ inputRequests, requestState: 'asked' })
  },
  sampling: asksModel,
  'sampling here': asksModel,
}

function asksModel(pieces: readonly string[], call: ServerContext): Result {
  if (call.mcpReq.inputResponses !== undefined) return result(['Thank you.'])
  const messages = pieces.map((text) => ({ role: 'user' as const, content: { type: 'text' as const, text } }))
  return inputRequired({ inputRequests: { said: inputRequired.createMessage({ messages, maxTokens: 100 }) }, requestState: 'asked' })
}
