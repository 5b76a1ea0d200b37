/** The tool loop an application writes around AWS's client of Bedrock, with every byte it received kept. */
import { Readable } from 'node:stream'
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  type ContentBlock,
  type Message,
  type TokenUsage,
} from '@aws-sdk/client-bedrock-runtime'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { Agent, AgentOptions } from './sdk-agents.ts'

type Handler = Pick<NodeHttpHandler, 'handle' | 'destroy' | 'metadata' | 'updateHttpClientConfig' | 'httpHandlerConfigs'>

export interface BedrockOptions {
  readonly url: string
  readonly key: string
  readonly headers?: Readonly<Record<string, string>>
  /** Told every answer as it came. */
  readonly onReceived?: (text: string) => void
}

/** AWS's client as its users set it up for a gateway: an address, a bearer token, and HTTP/1.1. */
export function bedrockClient({ url, key, headers = {}, onReceived }: BedrockOptions): BedrockRuntimeClient {
  const client = new BedrockRuntimeClient({
    region: 'us-east-1',
    endpoint: url,
    token: { token: key },
    authSchemePreference: ['httpBearerAuth'],
    maxAttempts: 1,
    requestHandler: onReceived === undefined ? new NodeHttpHandler() : recording(onReceived),
  })
  client.middlewareStack.add(
    (next) => (args) => {
      Object.assign((args.request as { headers: Record<string, string> }).headers, headers)
      return next(args)
    },
    { step: 'build' },
  )
  return client
}

function recording(onReceived: (text: string) => void): Handler {
  const inner = new NodeHttpHandler()
  return Object.assign(Object.create(inner) as Handler, {
    async handle(...given: Parameters<NodeHttpHandler['handle']>): ReturnType<NodeHttpHandler['handle']> {
      const { response } = await inner.handle(...given)
      const chunks: Buffer[] = []
      for await (const chunk of response.body as AsyncIterable<Buffer>) chunks.push(chunk)
      const bytes = Buffer.concat(chunks)
      onReceived(bytes.toString('utf8'))
      response.body = Readable.from([bytes])
      return { response }
    },
  })
}

interface Answered {
  readonly content: ContentBlock[]
  readonly stopReason: string | undefined
  readonly usage: TokenUsage | undefined
}

const maxRounds = 12

export function converseAgent({ url, key, model, stream, tools, execute, headers = {} }: AgentOptions): Agent {
  const record: { -readonly [K in keyof Omit<Agent, 'ask'>]: Agent[K][number][] } = { calls: [], received: [], finishes: [], usages: [] }
  const client = bedrockClient({ url, key, headers, onReceived: (text) => record.received.push(text) })
  const messages: Message[] = []
  const toolConfig = { tools: tools.map((name) => ({ toolSpec: { name, inputSchema: { json: { type: 'object', properties: {} } } } })) }
  const next = async (): Promise<Answered> => {
    const request = { modelId: model, messages, toolConfig, inferenceConfig: { maxTokens: 1024 } }
    if (stream) return readStream((await client.send(new ConverseStreamCommand(request))).stream)
    const { output, stopReason, usage } = await client.send(new ConverseCommand(request))
    return { content: output?.message?.content ?? [], stopReason, usage }
  }
  return Object.assign(record, {
    async ask(text: string): Promise<string> {
      messages.push({ role: 'user', content: [{ text }] })
      for (let round = 0; round < maxRounds; round += 1) {
        const { content, stopReason, usage } = await next()
        record.finishes.push(stopReason ?? null)
        record.usages.push({ input: usage?.inputTokens ?? 0, output: usage?.outputTokens ?? 0 })
        messages.push({ role: 'assistant', content })
        const calls = content.flatMap(({ toolUse }) => (toolUse === undefined ? [] : [toolUse]))
        if (calls.length === 0) return content.map((block) => block.text ?? '').join('')
        const results = calls.map(({ toolUseId = '', name = '', input }): ContentBlock => {
          record.calls.push({ id: toolUseId, name, args: input })
          return { toolResult: { toolUseId, content: [{ text: execute(name, input) }] } }
        })
        messages.push({ role: 'user', content: results })
      }
      throw new Error('the loop did not end')
    },
  })
}

type Events = Awaited<ReturnType<typeof streamOf>>
const streamOf = async (client: BedrockRuntimeClient) => (await client.send(new ConverseStreamCommand({ modelId: '' }))).stream

/** Puts a stream together as applications do. Throws where it has no end, or a block is out of place. */
export async function readStream(events: Events): Promise<Answered> {
  const content: ContentBlock[] = []
  const inputs: string[] = []
  const open = new Set<number>()
  let stopReason: string | undefined
  let usage: TokenUsage | undefined
  for await (const event of events ?? []) {
    if (stopReason !== undefined && event.metadata === undefined) throw new Error('an event after the end of the message')
    const { contentBlockStart: start, contentBlockDelta: delta, contentBlockStop: stop } = event
    const index = (start ?? delta ?? stop)?.contentBlockIndex ?? -1
    if ((start !== undefined || delta !== undefined) && !open.has(index)) {
      if (index !== content.length) throw new Error(`block ${content.length} has the index ${index}`)
      open.add(index)
      content.push(
        start?.start?.toolUse === undefined ? ({ text: '' } as ContentBlock) : { toolUse: { ...start.start.toolUse, input: {} } },
      )
      inputs.push('')
    }
    const said = delta?.delta
    if (said?.text !== undefined) content[index] = { text: (content[index]?.text ?? '') + said.text }
    if (said?.toolUse !== undefined) inputs[index] = (inputs[index] ?? '') + (said.toolUse.input ?? '')
    if (said?.reasoningContent !== undefined) {
      const { text = '', signature } = { text: undefined, signature: undefined, ...said.reasoningContent }
      const before = content[index]?.reasoningContent?.reasoningText
      const reasoningText = { text: (before?.text ?? '') + (text ?? ''), ...(signature === undefined ? {} : { signature }) }
      content[index] = { reasoningContent: { reasoningText } }
    }
    if (stop !== undefined) {
      if (!open.delete(index)) throw new Error(`block ${index} ends twice`)
      const call = content[index]?.toolUse
      if (call !== undefined && inputs[index] !== '') content[index] = { toolUse: { ...call, input: JSON.parse(inputs[index] ?? '') } }
    }
    stopReason ??= event.messageStop?.stopReason
    usage ??= event.metadata?.usage
  }
  if (stopReason === undefined || open.size > 0) throw new Error('the stream did not end')
  return { content, stopReason, usage }
}
