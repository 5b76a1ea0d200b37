/**
 * An upstream that breaks at a chosen byte of a recorded answer, and what a client of either dialect may see of it: the whole
 * answer, a status with an error of its dialect, or a beginning of the answer and an error event. Shared by the fast and the long suite.
 */
import type { Socket } from 'node:net'
import { secrets } from '../harness/governed-config.ts'
import type { Json } from '../harness/json.ts'
import { post, type RawAnswer } from '../harness/raw-http.ts'
import { type BreakingWire, type Wire, wireNames, wireOf } from './breaking-wires.ts'

/** Never part of a recorded answer: whoever sees it was given bytes that belong to no answer. */
const planted = 'PLANTED-ANSWER'

interface Recording {
  /** Head and body, as they come from the socket. */
  readonly bytes: Buffer
  /** Where the last event ends; the answer is whole from here on. */
  readonly whole: number
}

const headOf = (wire: Wire, framing: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${wireOf(wire).contentType}\r\ncache-control: no-cache\r\n${framing}\r\n\r\n`

function chunked(wire: Wire): Recording {
  const chunks = wireOf(wire).events.flatMap((event) => [Buffer.from(`${event.length.toString(16)}\r\n`), event, Buffer.from('\r\n')])
  const bytes = Buffer.concat([Buffer.from(headOf(wire, 'transfer-encoding: chunked')), ...chunks, Buffer.from('0\r\n\r\n')])
  return { bytes, whole: bytes.length - '\r\n0\r\n\r\n'.length }
}

/** Nothing but the end of the connection says that it is over, so every end is a proper one as far as HTTP can tell. */
function unframed(wire: Wire): Recording {
  const bytes = Buffer.concat([Buffer.from(headOf(wire, 'connection: close')), ...wireOf(wire).events])
  return { bytes, whole: bytes.length }
}

const recordings = new Map(wireNames.map((wire) => [wire, { chunked: chunked(wire), unframed: unframed(wire) }]))

/** What the upstream would have sent without the fault. */
export function recordingOf(wire: Wire, fault: Fault): Recording {
  return (recordings.get(wire) as { chunked: Recording; unframed: Recording })[fault === 'end' ? 'unframed' : 'chunked']
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

/** Every dialect by itself, and between each two that stand side by side in the table, both ways. */
export const setups: readonly Setup[] = wireNames.flatMap((client, at) => {
  const next = wireNames[(at + 1) % wireNames.length] as Wire
  return [
    { client, upstream: client },
    { client, upstream: next },
    { client: next, upstream: client },
  ]
})

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

/** The request of one break. What it asks says which break it is, so that the upstream knows what to do. */
export function callThrough(url: string, { client, upstream, fault, at }: Break): Promise<RawAnswer> {
  const { path, body } = wireOf(client).ask(wireOf(upstream).model, `${fault} ${at}`)
  return post(`${url}${path}`, secrets.alice, body)
}

/** Sends the recorded answer up to the break its request names, then breaks. */
export function breakAsAsked(wire: Wire): (socket: Socket, request: { readonly body: Json }) => void {
  return (socket, { body }) => {
    const [, fault = '', at = ''] = /(reset|end|half-close|stall|garbage|second status) (\d+)/.exec(JSON.stringify(body)) ?? []
    const { bytes } = recordingOf(wire, fault as Fault)
    // In one piece: an answer that comes when the connection carries the next request already cannot be told from the answer to that.
    if (fault === 'second status') return void socket.end(Buffer.concat([bytes.subarray(0, Number(at)), secondAnswer]))
    // A reset throws away what the other side has not read: it goes when the bytes before it have left.
    socket.write(bytes.subarray(0, Number(at)), () => faults[fault as Fault](socket))
  }
}

/** Where an answer that ends there may be taken for whole. */
function wholeFrom({ upstream, fault }: Break): number {
  const { whole } = recordingOf(upstream, fault)
  const { contentType, wholeEarly } = wireOf(upstream)
  const early = fault === 'end' ? (wholeEarly?.(Buffer.concat(wireOf(upstream).events)) ?? 0) : 0
  if (early > 0) return whole - early
  // Its line ends may be missing: the end of the stream ends an event too. A frame is whole or it is not.
  if (contentType.startsWith('text/event-stream')) return whole - lineEndsOf(upstream)
  // What it cost comes after its end, and is nothing that a client must wait for.
  const { length = 0 } = wireOf(upstream).events.at(-1) ?? {}
  return whole - length - (fault === 'end' ? 0 : `\r\n${length.toString(16)}\r\n`.length)
}

/** Bytes of the line ends of the last event. */
function lineEndsOf(wire: Wire): number {
  return /[\r\n]*$/.exec(wireOf(wire).events.at(-1)?.toString('latin1') ?? '')?.[0].length ?? 0
}

/** What is wrong with the answer to a break; undefined when it is one of the allowed ones. */
export function problemWith(one: Break, answer: RawAnswer): string | undefined {
  const { client, upstream, fault, at } = one
  const { status, headers, text, complete } = answer
  const wire = wireOf(client)
  // Before the first answer there is nothing to confuse it with.
  if (fault === 'second status' && at === 0) return undefined
  // In the middle of a chunk these bytes are content, and rightly treated as such.
  if (at >= recordingOf(upstream, fault).bytes.length && text.includes(planted)) return 'bytes of another answer reached the client'
  if (!complete) return 'the connection broke instead of an error event'
  if (status !== 200) return problemWithError(wire, answer)
  if (!String(headers['content-type']).startsWith(wire.contentType.split(';')[0] ?? '')) return `status 200 with ${headers['content-type']}`
  const events = wire.read(answer)
  const errors = events.filter(wire.isError)
  const ends = events.filter(wire.isEnd)
  if (ends.length === 1 && errors.length === 0) return at >= wholeFrom(one) ? undefined : 'an answer that was cut off looks whole'
  if (ends.length > 0) return `the answer ends ${ends.length} times and has ${errors.length} errors`
  if (errors.length !== 1 || errors[0] !== events.at(-1))
    return `${errors.length} error events, and at the end ${events.at(-1)?.slice(0, 200)}`
  // Every recorded answer has tool calls; a call of a broken answer must not be acted on.
  if (/"tool_use"|"tool_calls": ?\[|"function_call"|"toolUse"|"functionCall"/.test(events.join('\n')))
    return 'a call of an answer that was cut off reached the client'
  return undefined
}

function problemWithError(wire: BreakingWire, answer: RawAnswer): string | undefined {
  const { status, text } = answer
  if (status !== 502 && status !== 504) return `status ${status}`
  return wire.isFailure(JSON.parse(text) as { [key: string]: unknown }, answer) ? undefined : `not an error of the dialect: ${text}`
}
