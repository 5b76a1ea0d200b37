/** What a break needs to know of each dialect: a recorded stream, the request that asks for it, its end and its errors. A table: one entry a dialect. */
import { readFileSync } from 'node:fs'
import { eventStreamHeaders, converseFrames, framesOf } from '../harness/converse-wire.ts'
import { geminiEvents } from '../harness/gemini-wire.ts'
import type { RawAnswer } from '../harness/raw-http.ts'
import { responseEvents } from '../harness/responses-wire.ts'

export interface BreakingWire {
  /** Name of the model that is served in it. */
  readonly model: string
  /** Of the upstream that speaks it; `url` ends in `/v1`. */
  readonly upstream: (url: string) => object
  readonly contentType: string
  /** The events of a stream with text and a call, each as it is written. */
  readonly events: readonly Buffer[]
  /** Where a client asks for a model, and what with. */
  readonly ask: (model: string, question: string) => { readonly path: string; readonly body: object }
  /** What the client got, event for event, each as one text. Throws for what its official client could not read. */
  readonly read: (answer: RawAnswer) => readonly string[]
  readonly isEnd: (event: string) => boolean
  readonly isError: (event: string) => boolean
  /** Whether a whole answer with a failure has the form of the dialect. */
  readonly isFailure: (body: { readonly [key: string]: unknown }, answer: RawAnswer) => boolean
  /** Bytes short of the last event at which a stream that nothing frames is whole all the same. */
  readonly wholeEarly?: (stream: Buffer) => number
}

const sse = 'text/event-stream; charset=utf-8'
const recorded = (name: string): Buffer[] =>
  readFileSync(new URL(`../fixtures/${name}/stream.sse`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n\n')
    .map((event) => Buffer.from(`${event}\n\n`))
const said = { text: 'The notes say to buy milk, and that the meeting moved to Thursday.' }
const answer = { ...said, calls: [{ id: 'call_1', name: 'get_time', args: { zone: 'Europe/Zurich' } }] }

// A line ends in any of three ways, garbage may bring another than the rest has, and an event that is ended twice means nothing.
const readSse = ({ text }: RawAnswer): string[] =>
  text
    .replaceAll(/\r\n?/g, '\n')
    .split('\n\n')
    .map((event) => event.trimStart())
    .filter((event) => event !== '')

const errorOf = (body: { readonly [key: string]: unknown }): { readonly type?: string; readonly code?: string } =>
  (body['error'] ?? {}) as { type?: string; code?: string }
const message = (question: string): object => ({ role: 'user', content: question })

export const wires = {
  openai: {
    model: 'gpt-test',
    upstream: (base_url) => ({ kind: 'openai', base_url, credential: 'openai-team' }),
    contentType: sse,
    events: recorded('openai'),
    ask: (model, question) => ({
      path: '/v1/chat/completions',
      body: { model, max_tokens: 99, stream: true, stream_options: { include_usage: true }, messages: [message(question)] },
    }),
    read: readSse,
    isEnd: (event) => event === 'data: [DONE]',
    isError: (event) => event.startsWith('data: {"error":{'),
    isFailure: (body) => errorOf(body).type === 'server_error' && String(errorOf(body).code).startsWith('upstream.'),
    // Some chat servers close without `[DONE]`: a finish reason and a proper end say that the message is over.
    wholeEarly: (stream) => stream.length - stream.indexOf('\n', stream.indexOf('"finish_reason":"')),
  },
  anthropic: {
    model: 'claude-test',
    upstream: (base_url) => ({ kind: 'anthropic', base_url, credential: 'anthropic-team' }),
    contentType: sse,
    events: recorded('anthropic'),
    ask: (model, question) => ({ path: '/v1/messages', body: { model, max_tokens: 99, stream: true, messages: [message(question)] } }),
    read: readSse,
    isEnd: (event) => event.startsWith('event: message_stop\ndata:'),
    isError: (event) => event.startsWith('event: error\ndata: {"type":"error"'),
    isFailure: (body) =>
      body['type'] === 'error' && errorOf(body).type === 'api_error' && String(errorOf(body).code).startsWith('upstream.'),
  },
  responses: {
    model: 'pro-test',
    upstream: (base_url) => ({ kind: 'openai', base_url, credential: 'openai-team', speaks: 'responses' }),
    contentType: sse,
    events: responseEvents(answer, 'pro-test').map((event) => Buffer.from(event)),
    ask: (model, question) => ({ path: '/v1/responses', body: { model, stream: true, store: false, input: [message(question)] } }),
    read: readSse,
    isEnd: (event) => event.startsWith('event: response.completed\ndata:'),
    isError: (event) => event.startsWith('event: error\ndata: {"type":"error"'),
    isFailure: (body) => errorOf(body).type === 'server_error' && String(errorOf(body).code).startsWith('upstream.'),
  },
  converse: {
    model: 'nova-test',
    upstream: (url) => ({ kind: 'bedrock', region: 'us-east-1', base_url: url.replace(/\/v1$/, ''), credential: 'openai-team' }),
    contentType: eventStreamHeaders['content-type'],
    events: converseFrames(answer),
    ask: (model, question) => ({
      path: `/model/${model}/converse-stream`,
      body: { messages: [{ role: 'user', content: [{ text: question }] }] },
    }),
    read: ({ bytes }) => framesOf(bytes).map(({ type, payload }) => `event: ${type}\ndata: ${JSON.stringify(payload)}`),
    // What a stream cost comes after its end.
    isEnd: (event) => event.startsWith('event: messageStop\n'),
    isError: (event) => /^event: \w+Exception\n/.test(event),
    isFailure: ({ code }, { headers }) => String(code).startsWith('upstream.') && String(headers['x-amzn-errortype']).endsWith('Exception'),
  },
  gemini: {
    model: 'gemini-test',
    upstream: (url) => ({ kind: 'gemini', base_url: url.replace(/\/v1$/, ''), credential: 'openai-team' }),
    contentType: 'text/event-stream',
    events: geminiEvents(answer, 'gemini-test').map((event) => Buffer.from(event)),
    ask: (model, question) => ({
      path: `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
      body: { contents: [{ role: 'user', parts: [{ text: question }] }] },
    }),
    read: readSse,
    isEnd: (event) => event.includes('"finishReason":'),
    isError: (event) => event.startsWith('data: {"error":{'),
    isFailure: (body) => JSON.stringify(errorOf(body)).includes('"code":"upstream.'),
  },
} as const satisfies Readonly<Record<string, BreakingWire>>

export type Wire = keyof typeof wires
export const wireNames = Object.keys(wires) as Wire[]
export const wireOf = (name: Wire): BreakingWire => wires[name]
