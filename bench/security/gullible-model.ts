/** The model behind the gateway: an OpenAI-compatible server whose answers are scripts. It knows a case by the `user` of the request. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Script } from './script.ts'
import type { Suite } from './suites.ts'
import { textOf } from './visible-text.ts'

interface Message {
  readonly role: string
  readonly content?: unknown
}

interface ChatRequest {
  readonly user?: string
  readonly messages: readonly Message[]
  readonly tools?: unknown
}

export interface GullibleModel {
  readonly url: string
  /** The case this script belongs to answers by it until it is dropped. */
  play(id: string, suite: Suite, script: Script): void
  drop(id: string): void
  close(): void
}

export async function startGullibleModel(): Promise<GullibleModel> {
  const playing = new Map<string, { readonly suite: Suite; readonly script: Script }>()
  let calls = 0
  const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    const answer = async (): Promise<string> => {
      const body = JSON.parse(await textOfRequest(request)) as ChatRequest
      const { suite, script } = playing.get(body.user ?? '') ?? {}
      if (suite === undefined || script === undefined) throw new Error(`no case is called ${body.user}`)
      const step = await script.next(visibleIn(body))
      calls += 1
      return completion(
        step === undefined ? { text: script.output } : { id: `call_${calls}`, name: `${suite}__${step.tool}`, args: step.args },
      )
    }
    answer().then(
      (text) => response.writeHead(200, { 'content-type': 'application/json' }).end(text),
      (error: unknown) =>
        response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { message: String(error) } })),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    play: (id, suite, script) => playing.set(id, { suite, script }),
    drop: (id) => playing.delete(id),
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Everything it was sent but its own words: instructions, definitions of tools, results, refusals. */
function visibleIn({ messages, tools }: ChatRequest): string {
  const texts = messages.filter(({ role }) => role !== 'assistant').map(({ content }) => textOf(content))
  return [...texts, JSON.stringify(tools ?? [])].join('\n')
}

async function textOfRequest(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}

type Answer = { readonly text: string } | { readonly id: string; readonly name: string; readonly args: object }

function completion(answer: Answer): string {
  const calls =
    'text' in answer ? [] : [{ id: answer.id, type: 'function', function: { name: answer.name, arguments: JSON.stringify(answer.args) } }]
  const message = { role: 'assistant', content: 'text' in answer ? answer.text : null, ...(calls.length > 0 ? { tool_calls: calls } : {}) }
  return JSON.stringify({
    id: 'chatcmpl-gullible',
    object: 'chat.completion',
    created: 1761264000,
    model: 'gullible',
    choices: [{ index: 0, message, logprobs: null, finish_reason: calls.length > 0 ? 'tool_calls' : 'stop' }],
    usage: { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 },
  })
}
