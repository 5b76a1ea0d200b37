/** A model server that acts out the plan it finds in a prompt, in every dialect, and remembers what it was shown. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json as readJson } from 'node:stream/consumers'
import type { Json } from '../../harness/json.ts'
import { chatCompletions } from './chat-completions.ts'
import { converse } from './converse.ts'
import { answerTo, asksForSummary, clientsName, resultsOf } from './conversation.ts'
import type { MockDialect } from './dialect.ts'
import { gemini } from './gemini.ts'
import { messages } from './messages.ts'
import { responses } from './responses.ts'

const dialects: readonly MockDialect[] = [chatCompletions, messages, responses, gemini, converse]

const fixtureIds = /(msg_|chatcmpl-|resp_)[A-Za-z0-9]{20,}/g

export interface MockModel extends AsyncDisposable {
  /** `http://127.0.0.1:port`, without a version. */
  readonly url: string
  /** Every result of a tool that a client showed the model after a plan, each once. */
  results(): readonly string[]
  /** Names of all tools that clients offered. */
  offered(): readonly string[]
  /** How many summaries of a conversation were asked for. */
  summaries(): number
}

export async function startMockModel(): Promise<MockModel> {
  const shown = new Set<string>()
  const offered = new Set<string>()
  let calls = 0
  let summaries = 0
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(JSON.stringify({ error: { message: String(error) } })))
  })
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    const dialect = dialects.find(({ takes }) => takes(path))
    if (request.method !== 'POST' || dialect === undefined) return otherwise(path, response)
    const body = (await readJson(request)) as Json
    const conversation = dialect.read(body)
    for (const result of resultsOf(conversation)) shown.add(result)
    for (const name of conversation.tools) offered.add(clientsName(name))
    calls += 1
    if (asksForSummary(conversation)) summaries += 1
    const { streamed, contentType = 'text/event-stream', parts } = dialect.write(answerTo(conversation, `mock${calls}`), { path, body })
    response.writeHead(200, { 'content-type': streamed ? contentType : 'application/json' })
    // The fixtures give every answer one id; a client may take two messages of one id for one message.
    for (const part of parts) response.write(typeof part === 'string' ? part.replaceAll(fixtureIds, `$1mock${calls}`) : part)
    response.end()
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    results: () => [...shown],
    offered: () => [...offered],
    summaries: () => summaries,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

// What clients ask besides: how many tokens a text has, which models there are. Everything else is not there.
function otherwise(path: string, response: ServerResponse): void {
  const bodies: readonly (readonly [string, object])[] = [
    ['/count_tokens', { input_tokens: 82 }],
    [':countTokens', { totalTokens: 82 }],
    ['/models', { object: 'list', data: [{ id: 'gpt-mock', object: 'model' }] }],
  ]
  const body = bodies.find(([end]) => path.endsWith(end))?.[1]
  response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body ?? { error: { message: `nothing at ${path}` } }))
}
