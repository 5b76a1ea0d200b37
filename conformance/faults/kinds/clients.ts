/** Official clients of every dialect as judges: what an application has of an answer, in no vendor's words. */
import Anthropic from '@anthropic-ai/sdk'
import { ConverseCommand, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime'
import type { GenerateContentResponse } from '@google/genai'
import OpenAI from 'openai'
import { bedrockClient, readStream } from '../../harness/converse-agent.ts'
import { geminiClient } from '../../harness/gemini-agent.ts'
import type { Json } from '../../harness/json.ts'
import type { Wire } from '../breaking-wires.ts'

export type End = 'stop' | 'calls' | 'length' | 'refusal'

export interface Heard {
  readonly text: string
  readonly calls: readonly { readonly name: string; readonly args: unknown }[]
  readonly end: End
  readonly usage: { readonly input: number; readonly output: number; readonly cached: number }
  readonly reasoning: string
}

/** What a client threw instead. */
export interface Failed {
  readonly error: string
}

export interface Asking {
  readonly url: string
  readonly key: string
  readonly model: string
  readonly stream: boolean
  /** A session of its own, so that no case knows of another. */
  readonly session: string
}

const question = 'What is in my notes?'
const tools = ['get_time', 'read_notes']
const parameters = { type: 'object', properties: { topic: { type: 'string' } } }

/** Asks as an application of this dialect does. */
export async function hear(client: Wire, asking: Asking): Promise<Heard | Failed> {
  try {
    return await clients[client](asking)
  } catch (error) {
    return { error: error instanceof Error ? `${error.message} ${JSON.stringify(error)}` : String(error) }
  }
}

const clients: Readonly<Record<Wire, (asking: Asking) => Promise<Heard>>> = {
  async openai({ url, key, model, stream, session }) {
    const client = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0, defaultHeaders: { 'x-turnward-session': session } })
    const body = {
      model,
      messages: [{ role: 'user' as const, content: question }],
      tools: tools.map((name) => ({ type: 'function' as const, function: { name, parameters } })),
    }
    const thoughts: string[] = []
    const streamed = async (): Promise<OpenAI.Chat.ChatCompletion> => {
      const read = client.chat.completions.stream({ ...body, stream_options: { include_usage: true } })
      read.on('chunk', ({ choices }) => thoughts.push(reasoningIn((choices[0]?.delta ?? {}) as Json)))
      return await read.finalChatCompletion()
    }
    const answer = stream ? await streamed() : await client.chat.completions.create(body)
    const { finish_reason, message } = answer.choices[0] ?? {}
    if (finish_reason === undefined || message === undefined) throw new Error('an answer without a choice')
    return {
      text: (message.content ?? '') + (message.refusal ?? ''),
      calls: (message.tool_calls ?? []).flatMap((call) =>
        call.type === 'function' ? [{ name: call.function.name, args: argumentsOf(call.function.arguments) }] : [],
      ),
      end: endOf(finish_reason, { tool_calls: 'calls', content_filter: 'refusal' }),
      usage: {
        input: answer.usage?.prompt_tokens ?? 0,
        output: answer.usage?.completion_tokens ?? 0,
        cached: answer.usage?.prompt_tokens_details?.cached_tokens ?? 0,
      },
      reasoning: stream ? thoughts.join('') : reasoningIn(message as unknown as Json),
    }
  },

  async anthropic({ url, key, model, stream, session }) {
    const client = new Anthropic({ apiKey: key, baseURL: url, maxRetries: 0, defaultHeaders: { 'x-turnward-session': session } })
    const body: Anthropic.MessageCreateParamsNonStreaming = {
      model,
      max_tokens: 1024,
      messages: [{ role: 'user', content: question }],
      tools: tools.map((name) => ({ name, input_schema: parameters as Anthropic.Tool.InputSchema })),
    }
    const { content, stop_reason, usage } = stream ? await client.messages.stream(body).finalMessage() : await client.messages.create(body)
    const cached = usage.cache_read_input_tokens ?? 0
    return {
      text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
      calls: content.flatMap((block) => (block.type === 'tool_use' ? [{ name: block.name, args: block.input }] : [])),
      end: endOf(String(stop_reason), { end_turn: 'stop', stop_sequence: 'stop', tool_use: 'calls', max_tokens: 'length' }),
      usage: { input: usage.input_tokens + cached + (usage.cache_creation_input_tokens ?? 0), output: usage.output_tokens, cached },
      reasoning: content.map((block) => (block.type === 'thinking' ? block.thinking : '')).join(''),
    }
  },

  async responses({ url, key, model, stream, session }) {
    const client = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0, defaultHeaders: { 'x-turnward-session': session } })
    const body: OpenAI.Responses.ResponseCreateParamsNonStreaming = {
      model,
      input: [{ role: 'user', content: question }],
      store: false,
      tools: tools.map((name) => ({ type: 'function', name, parameters, strict: false })),
    }
    const answer = stream ? await lastOf(await client.responses.create({ ...body, stream: true })) : await client.responses.create(body)
    const items = answer.output as unknown as Json[]
    const parts = items.flatMap((item) => (item['type'] === 'message' ? (item['content'] as Json[]) : []))
    const calls = items.flatMap((item) =>
      item['type'] === 'function_call' ? [{ name: String(item['name']), args: argumentsOf(String(item['arguments'])) }] : [],
    )
    const isRefused = parts.some(({ refusal }) => refusal !== undefined) || answer.incomplete_details?.reason === 'content_filter'
    return {
      text: parts.map((part) => String(part['text'] ?? part['refusal'] ?? '')).join(''),
      calls,
      end: isRefused
        ? 'refusal'
        : answer.status === 'incomplete'
          ? 'length'
          : calls.length > 0
            ? 'calls'
            : endOf(String(answer.status), { completed: 'stop' }),
      usage: {
        input: answer.usage?.input_tokens ?? 0,
        output: answer.usage?.output_tokens ?? 0,
        cached: answer.usage?.input_tokens_details?.cached_tokens ?? 0,
      },
      reasoning: items
        .flatMap((item) => (item['type'] === 'reasoning' ? [...(item['summary'] ?? []), ...(item['content'] ?? [])] : []))
        .map((part: Json) => String(part['text']))
        .join(''),
    }
  },

  async gemini({ url, key, model, stream, session }) {
    const client = geminiClient(url, key, { headers: { 'x-turnward-session': session } })
    const functionDeclarations = tools.map((name) => ({ name, parametersJsonSchema: parameters }))
    const body = { model, contents: question, config: { tools: [{ functionDeclarations }] } }
    const events: GenerateContentResponse[] = []
    if (stream) for await (const event of await client.models.generateContentStream(body)) events.push(event)
    else events.push(await client.models.generateContent(body))
    const parts = events.flatMap((event) => event.candidates?.[0]?.content?.parts ?? [])
    const calls = parts.flatMap(({ functionCall: call }) => (call === undefined ? [] : [{ name: call.name ?? '', args: call.args ?? {} }]))
    const finishes = events.flatMap((event) => event.candidates?.[0]?.finishReason ?? [])
    const end = finishes.at(-1) ?? events.at(-1)?.promptFeedback?.blockReason
    if (end === undefined) throw new Error('the stream did not end')
    const usage = events.flatMap((event) => event.usageMetadata ?? []).at(-1)
    return {
      text: parts.map((part) => (part.thought === true ? '' : (part.text ?? ''))).join(''),
      calls,
      end: end === 'STOP' && calls.length > 0 ? 'calls' : endOf(end, { STOP: 'stop', MAX_TOKENS: 'length', SAFETY: 'refusal' }),
      usage: {
        input: (usage?.promptTokenCount ?? 0) + (usage?.toolUsePromptTokenCount ?? 0),
        output: (usage?.candidatesTokenCount ?? 0) + (usage?.thoughtsTokenCount ?? 0),
        cached: usage?.cachedContentTokenCount ?? 0,
      },
      reasoning: parts.map((part) => (part.thought === true ? (part.text ?? '') : '')).join(''),
    }
  },

  async converse({ url, key, model, stream, session }) {
    const client = bedrockClient({ url, key, headers: { 'x-turnward-session': session } })
    const request = {
      modelId: model,
      messages: [{ role: 'user' as const, content: [{ text: question }] }],
      toolConfig: { tools: tools.map((name) => ({ toolSpec: { name, inputSchema: { json: parameters } } })) },
    }
    const { content, stopReason, usage } = stream
      ? await readStream((await client.send(new ConverseStreamCommand(request))).stream)
      : await client
          .send(new ConverseCommand(request))
          .then(({ output, ...rest }) => ({ content: output?.message?.content ?? [], ...rest }))
    const cached = usage?.cacheReadInputTokens ?? 0
    return {
      text: content.map((block) => block.text ?? '').join(''),
      calls: content.flatMap(({ toolUse: call }) => (call === undefined ? [] : [{ name: call.name ?? '', args: call.input }])),
      end: endOf(String(stopReason), {
        end_turn: 'stop',
        stop_sequence: 'stop',
        tool_use: 'calls',
        max_tokens: 'length',
        content_filtered: 'refusal',
      }),
      usage: { input: (usage?.inputTokens ?? 0) + cached + (usage?.cacheWriteInputTokens ?? 0), output: usage?.outputTokens ?? 0, cached },
      reasoning: content.map(({ reasoningContent }) => reasoningContent?.reasoningText?.text ?? '').join(''),
    }
  },
}

/** Blank text stays what it is: only a vendor of the client's own dialect may give it. */
function argumentsOf(text: string): unknown {
  return text === '' ? text : (JSON.parse(text) as unknown)
}

function endOf(word: string, words: Readonly<Record<string, End>>): End {
  if (['stop', 'length', 'refusal'].includes(word)) return word as End
  const end = words[word]
  if (end === undefined) throw new Error(`an answer that ended with ${word}`)
  return end
}

function reasoningIn(message: Json): string {
  return String(message['reasoning_content'] ?? message['reasoning'] ?? '')
}

/** The response a stream ends with; everything its events said is in it. */
async function lastOf(events: AsyncIterable<OpenAI.Responses.ResponseStreamEvent>): Promise<OpenAI.Responses.Response> {
  const items: unknown[] = []
  let text = ''
  let last: OpenAI.Responses.Response | undefined
  for await (const event of events) {
    if (event.type === 'error' || event.type === 'response.failed') throw new Error(JSON.stringify(event))
    if (event.type === 'response.output_text.delta') text += event.delta
    if (event.type === 'response.output_item.done') items.push(event.item)
    if (event.type === 'response.completed' || event.type === 'response.incomplete') last = event.response
  }
  if (last === undefined) throw new Error('the stream did not end')
  const said = (last.output as unknown as Json[])
    .flatMap((item) => (item['type'] === 'message' ? (item['content'] as Json[]) : []))
    .map((part) => String(part['text'] ?? ''))
    .join('')
  if (said !== text) throw new Error(`the stream says ${JSON.stringify(text)}, its end ${JSON.stringify(said)}`)
  return last
}
