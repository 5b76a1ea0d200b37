/**
 * An upstream that breaks at a chosen byte of a recorded answer, and what a client of either dialect may see of it: the whole
 * answer, a status with an error of its dialect, or a beginning of the answer and an error event. Shared by the fast and the long suite.
 */
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { secrets } from '../harness/governed-config.ts'
import type { Json } from '../harness/json.ts'
import { post, type RawAnswer } from '../harness/raw-http.ts'

const fixture = (path: string): Buffer => readFileSync(new URL(`../fixtures/${path}`, import.meta.url))

export type Wire = 'openai' | 'anthropic'

/** Never part of a recorded answer: whoever sees it was given bytes that belong to no answer. */
const planted = 'PLANTED-ANSWER'

interface Recording {
  /** Head and body, as they come from the socket. */
  readonly bytes: Buffer
  /** Where the last event ends; the answer is whole from here on. */
  readonly whole: number
}

const contentType = 'content-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n'

function chunked(wire: Wire): Recording {
  const events = fixture(`${wire}/stream.sse`).toString('utf8').trimEnd().split('\n\n')
  const chunks = events.map((event) => `${(Buffer.byteLength(event) + 2).toString(16)}\r\n${event}\n\n\r\n`)
  const bytes = Buffer.from(`HTTP/1.1 200 OK\r\n${contentType}transfer-encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`)
  return { bytes, whole: bytes.length - '\r\n0\r\n\r\n'.length }
}

/** Nothing but the end of the connection says that it is over, so every end is a proper one as far as HTTP can tell. */
function unframed(wire: Wire): Recording {
  const bytes = Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${contentType}connection: close\r\n\r\n`), fixture(`${wire}/stream.sse`)])
  return { bytes, whole: bytes.length }
}

const recordings = {
  openai: { chunked: chunked('openai'), unframed: unframed('openai') },
  anthropic: { chunked: chunked('anthropic'), unframed: unframed('anthropic') },
}

/** What the upstream would have sent without the fault. */
export function recordingOf(wire: Wire, fault: Fault): Recording {
  return recordings[wire][fault === 'end' ? 'unframed' : 'chunked']
}

const secondAnswer = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\ndata: {"id":"${planted}","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"${planted}"}}]}\n\n`,
)
const garbage = Buffer.from([0x00, 0xff, 0xfe, 0x0d, 0x0a, 0x0d, 0x0a, 0x80, 0x22, 0x7d, 0x0a, 0x0a, 0xc3, 0x28])

/** What an upstream does when it has sent so many bytes. */
export const faults = {
  reset: (socket: Socket) => void socket.resetAndDestroy(),
  // The same without chunks: the answer just is shorter.
  end: (socket: Socket) => void socket.end(),
  'half-close': (socket: Socket) => void socket.end(),
  // The connection stays as it is; only the gateway can end this.
  stall: () => undefined,
  garbage: (socket: Socket) => void socket.end(garbage),
  'second status': (socket: Socket) => void socket.end(secondAnswer),
} satisfies Record<string, (socket: Socket) => void>

export type Fault = keyof typeof faults

export interface Setup {
  readonly client: Wire
  readonly upstream: Wire
}

export const setups: readonly Setup[] = [
  { client: 'openai', upstream: 'openai' },
  { client: 'anthropic', upstream: 'anthropic' },
  { client: 'openai', upstream: 'anthropic' },
  { client: 'anthropic', upstream: 'openai' },
]

export interface Break extends Setup {
  readonly fault: Fault
  /** Bytes the upstream sends before the fault. */
  readonly at: number
}

/** So many breaks of every kind at every `step`-th byte; the first and the last bytes are always there. */
export function breaksEvery(step: number, of: readonly Setup[] = setups): Break[] {
  const all = of.flatMap((setup) =>
    (Object.keys(faults) as Fault[]).flatMap((fault) => {
      const { bytes, whole } = recordingOf(setup.upstream, fault)
      const offsets = new Set([0, 1, 12, whole - 1, whole, bytes.length - 1, bytes.length])
      for (let at = 0; at < bytes.length; at += step) offsets.add(at)
      return [...offsets].map((at) => ({ ...setup, fault, at }))
    }),
  )
  // Kinds mixed, in the same order every time.
  return all.toSorted((a, b) => ((a.at * 31) % 97) - ((b.at * 31) % 97))
}

/** Name of the model that is served by this wire. */
export const modelOf: Readonly<Record<Wire, string>> = { openai: 'gpt-test', anthropic: 'claude-test' }

/** The request of one break. The session says which break it is, so that the upstream knows what to do. */
export function callThrough(url: string, { client, upstream, fault, at }: Break): Promise<RawAnswer> {
  const body = {
    model: modelOf[upstream],
    max_tokens: 99,
    stream: true,
    messages: [{ role: 'user', content: `${fault} ${at}` }],
    ...(client === 'openai' ? { stream_options: { include_usage: true } } : {}),
  }
  return post(`${url}${client === 'openai' ? '/v1/chat/completions' : '/v1/messages'}`, secrets.alice, body)
}

/** Sends the recorded answer up to the break its request names, then breaks. */
export function breakAsAsked(wire: Wire): (socket: Socket, request: { readonly body: Json }) => void {
  return (socket, { body }) => {
    const [, fault = '', at = ''] = /(reset|end|half-close|stall|garbage|second status) (\d+)/.exec(JSON.stringify(body['messages'])) ?? []
    const { bytes } = recordingOf(wire, fault as Fault)
    // In one piece: an answer that comes when the connection carries the next request already cannot be told from the answer to that.
    if (fault === 'second status') return void socket.end(Buffer.concat([bytes.subarray(0, Number(at)), secondAnswer]))
    // A reset throws away what the other side has not read: it goes when the bytes before it have left.
    socket.write(bytes.subarray(0, Number(at)), () => faults[fault as Fault](socket))
  }
}

/** Where an answer that ends there may be taken for whole. */
function wholeFrom(client: Wire, upstream: Wire, fault: Fault): number {
  const { bytes, whole } = recordingOf(upstream, fault)
  if (fault !== 'end' || upstream !== 'openai') return whole - 2
  // Some chat servers close without `[DONE]`: a finish reason and a proper end say that the message is over.
  const finish = bytes.indexOf('"finish_reason":"')
  return bytes.indexOf('\n', finish)
}

/** What is wrong with the answer to a break; undefined when it is one of the allowed ones. */
export function problemWith({ client, upstream, fault, at }: Break, { status, headers, text, complete }: RawAnswer): string | undefined {
  // Before the first answer there is nothing to confuse it with.
  if (fault === 'second status' && at === 0) return undefined
  // In the middle of a chunk these bytes are content, and rightly treated as such.
  if (at >= recordingOf(upstream, fault).bytes.length && text.includes(planted)) return 'bytes of another answer reached the client'
  if (!complete) return 'the connection broke instead of an error event'
  if (status !== 200) return problemWithError(client, status, text)
  if (!String(headers['content-type']).startsWith('text/event-stream')) return `status 200 with ${headers['content-type']}`
  // Garbage may bring line ends of the other kind, and an event that is ended twice means nothing.
  const events = text
    .replaceAll('\r\n', '\n')
    .split('\n\n')
    .map((event) => event.trimStart())
    .filter((event) => event !== '')
  const errors = events.filter((event) => isErrorEvent(client, event))
  const terminators = events.filter((event) =>
    client === 'openai' ? event === 'data: [DONE]' : event.startsWith('event: message_stop\ndata:'),
  )
  if (terminators.length === 1 && errors.length === 0) {
    // One line end short is enough: the end of the stream ends an event too.
    return at >= wholeFrom(client, upstream, fault) ? undefined : 'an answer that was cut off looks whole'
  }
  if (terminators.length > 0) return `the answer ends ${terminators.length} times and has ${errors.length} errors`
  if (errors.length !== 1 || errors[0] !== events.at(-1))
    return `${errors.length} error events, and at the end ${events.at(-1)?.slice(0, 200)}`
  // Both recorded answers have tool calls; a call of a broken answer must not be acted on.
  if (/tool_use|tool_calls/.test(text)) return 'a call of an answer that was cut off reached the client'
  return undefined
}

function problemWithError(client: Wire, status: number, text: string): string | undefined {
  if (status !== 502 && status !== 504) return `status ${status}`
  const { error, type } = JSON.parse(text) as { error?: { code?: string; type?: string }; type?: string }
  if (!String(error?.code).startsWith('upstream.')) return `error code ${error?.code}`
  const isOfDialect = client === 'openai' ? error?.type === 'server_error' : type === 'error' && error?.type === 'api_error'
  return isOfDialect ? undefined : `not an error of the dialect: ${text}`
}

function isErrorEvent(client: Wire, event: string): boolean {
  if (client === 'anthropic') return event.startsWith('event: error\ndata: {"type":"error"')
  return event.startsWith('data: {"error":{')
}
