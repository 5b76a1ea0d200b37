/** The tool loop an application writes around an official SDK, the same for both SDKs, with every byte it received kept. */
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { converseAgent } from './converse-agent.ts'
import { geminiAgent } from './gemini-agent.ts'

export type AgentDialect = 'openai' | 'anthropic' | 'responses' | 'converse' | 'gemini'

export interface AgentOptions {
  /** Base address of the gateway. */
  readonly url: string
  readonly key: string
  readonly model: string
  readonly stream: boolean
  /** Names of the tools offered; each takes any object. */
  readonly tools: readonly string[]
  /** Runs a tool the model called. */
  readonly execute: (name: string, args: unknown) => string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Agent {
  /** Says something as the user and loops until the model proposes no more calls. Resolves with its last text. */
  ask(text: string): Promise<string>
  /** Every call the agent was asked to run, in order. */
  readonly calls: readonly { readonly id: string; readonly name: string; readonly args: unknown }[]
  /** Every answer as it came over the wire. */
  readonly received: readonly string[]
  /** Why each answer ended, in the dialect's words. */
  readonly finishes: readonly (string | null)[]
  readonly usages: readonly { readonly input: number; readonly output: number }[]
}

/** No honest loop takes more rounds. */
const maxRounds = 12

class AgentRecord {
  readonly calls: { id: string; name: string; args: unknown }[] = []
  readonly received: string[] = []
  readonly finishes: (string | null)[] = []
  readonly usages: { input: number; output: number }[] = []

  /** `fetch` for an SDK: the answer is read whole, kept, and given on. */
  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const response = await fetch(input, init)
    const text = await response.text()
    this.received.push(text)
    return new Response(text, { status: response.status, headers: response.headers })
  }
}

/** An agent that keeps its own conversation, as applications do. */
export function createAgent(dialect: AgentDialect, options: AgentOptions): Agent {
  if (dialect === 'responses') return responsesAgent(options)
  if (dialect === 'converse') return converseAgent(options)
  if (dialect === 'gemini') return geminiAgent(options)
  return dialect === 'openai' ? openaiAgent(options) : anthropicAgent(options)
}

function openaiAgent({ url, key, model, stream, tools, execute, headers = {} }: AgentOptions): Agent {
  const record = new AgentRecord()
  const client = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0, fetch: record.fetch, defaultHeaders: headers })
  const messages: OpenAI.Chat.Completions.ChatCompletionMessageParam[] = []
  const offered = tools.map((name) => ({ type: 'function' as const, function: { name, parameters: { type: 'object', properties: {} } } }))
  const body = () => ({ model, messages, tools: offered })
  const next = async (): Promise<OpenAI.Chat.Completions.ChatCompletion> => {
    if (!stream) return client.chat.completions.create(body())
    return client.chat.completions.stream({ ...body(), stream_options: { include_usage: true } }).finalChatCompletion()
  }
  return Object.assign(record, {
    async ask(text: string): Promise<string> {
      messages.push({ role: 'user', content: text })
      for (let round = 0; round < maxRounds; round += 1) {
        const { choices, usage } = await next()
        const choice = choices[0]
        if (choice === undefined) throw new Error('an answer without a choice')
        record.finishes.push(choice.finish_reason)
        record.usages.push({ input: usage?.prompt_tokens ?? 0, output: usage?.completion_tokens ?? 0 })
        const calls = (choice.message.tool_calls ?? []).flatMap((call) => (call.type === 'function' ? [call] : []))
        messages.push({ role: 'assistant', content: choice.message.content, ...(calls.length > 0 ? { tool_calls: calls } : {}) })
        if (calls.length === 0) return choice.message.content ?? ''
        for (const call of calls) {
          const args: unknown = JSON.parse(call.function.arguments)
          record.calls.push({ id: call.id, name: call.function.name, args })
          messages.push({ role: 'tool', tool_call_id: call.id, content: execute(call.function.name, args) })
        }
      }
      throw new Error('the loop did not end')
    },
  })
}

function anthropicAgent({ url, key, model, stream, tools, execute, headers = {} }: AgentOptions): Agent {
  const record = new AgentRecord()
  const client = new Anthropic({ apiKey: key, baseURL: url, maxRetries: 0, fetch: record.fetch, defaultHeaders: headers })
  const messages: Anthropic.MessageParam[] = []
  const offered = tools.map((name): Anthropic.Tool => ({ name, input_schema: { type: 'object', properties: {} } }))
  const next = async (): Promise<Anthropic.Message> => {
    const body = { model, max_tokens: 1024, messages, tools: offered }
    return stream ? client.messages.stream(body).finalMessage() : client.messages.create(body)
  }
  return Object.assign(record, {
    async ask(text: string): Promise<string> {
      messages.push({ role: 'user', content: text })
      for (let round = 0; round < maxRounds; round += 1) {
        const { content, stop_reason, usage } = await next()
        record.finishes.push(stop_reason)
        record.usages.push({ input: usage.input_tokens, output: usage.output_tokens })
        messages.push({ role: 'assistant', content })
        const calls = content.flatMap((block) => (block.type === 'tool_use' ? [block] : []))
        if (calls.length === 0) return content.map((block) => (block.type === 'text' ? block.text : '')).join('')
        const results = calls.map(({ id, name, input }): Anthropic.ToolResultBlockParam => {
          record.calls.push({ id, name, args: input })
          return { type: 'tool_result', tool_use_id: id, content: execute(name, input) }
        })
        messages.push({ role: 'user', content: results })
      }
      throw new Error('the loop did not end')
    },
  })
}

function responsesAgent({ url, key, model, stream, tools, execute, headers = {} }: AgentOptions): Agent {
  const record = new AgentRecord()
  const client = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0, fetch: record.fetch, defaultHeaders: headers })
  const input: OpenAI.Responses.ResponseInputItem[] = []
  const parameters = { type: 'object', properties: {} }
  const offered = tools.map((name) => ({ type: 'function' as const, name, parameters, strict: false }))
  const next = async (): Promise<OpenAI.Responses.Response> => {
    const body = { model, input, tools: offered, store: false }
    if (!stream) return client.responses.create(body)
    // What the events add up to must be what the last one says.
    const items: OpenAI.Responses.ResponseOutputItem[] = []
    let last: OpenAI.Responses.Response | undefined
    let sequence = 0
    for await (const event of await client.responses.create({ ...body, stream: true })) {
      if (event.sequence_number !== sequence++) throw new Error(`event ${sequence - 1} has the number ${event.sequence_number}`)
      if (event.type === 'response.output_item.done') {
        if (event.output_index !== items.length) throw new Error(`item ${items.length} has the index ${event.output_index}`)
        items.push(event.item)
      }
      if (event.type === 'response.completed' || event.type === 'response.incomplete') last = event.response
    }
    if (last === undefined) throw new Error('the stream did not end')
    if (JSON.stringify(items) !== JSON.stringify(last.output)) throw new Error('the end of the stream says something else')
    return last
  }
  return Object.assign(record, {
    async ask(text: string): Promise<string> {
      input.push({ role: 'user', content: text })
      for (let round = 0; round < maxRounds; round += 1) {
        const { output, usage, status } = await next()
        record.finishes.push(status ?? null)
        record.usages.push({ input: usage?.input_tokens ?? 0, output: usage?.output_tokens ?? 0 })
        input.push(...(output as OpenAI.Responses.ResponseInputItem[]))
        const calls = output.flatMap((item) => (item.type === 'function_call' ? [item] : []))
        const said = output.flatMap((item) => (item.type === 'message' ? item.content : []))
        if (calls.length === 0) return said.map((part) => (part.type === 'output_text' ? part.text : '')).join('\n\n')
        for (const call of calls) {
          const args: unknown = JSON.parse(call.arguments)
          record.calls.push({ id: call.call_id, name: call.name, args })
          input.push({ type: 'function_call_output', call_id: call.call_id, output: execute(call.name, args) })
        }
      }
      throw new Error('the loop did not end')
    },
  })
}
