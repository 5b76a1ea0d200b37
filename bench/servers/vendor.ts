/**
 * A model vendor that costs as little as node:http allows: it reads a request to its end and answers from prebuilt
 * bytes. The first segment of the path says how: `/json`, `/sse` (an event every 5 ms), `/slow` (every 500 ms), `/burst` (all
 * events in a few pieces, as a fast vendor or a buffering edge sends them) or `/stamped` (an event every 5 ms that says when).
 */
import type { ServerResponse } from 'node:http'
import { serve } from './serving.ts'

export const eventCount = 100
const slowEventCount = 60

const text = 'The quarterly figures are in the shared folder; the meeting moved to Thursday and Northwind was paid. '
const answer = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-bench0001',
    object: 'chat.completion',
    created: 1_790_000_000,
    model: 'bench-model-2026',
    choices: [{ index: 0, message: { role: 'assistant', content: text.repeat(9) }, logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: 512, completion_tokens: 203, total_tokens: 715 },
    system_fingerprint: 'fp_bench',
  }),
)

const event = (delta: object, finish: string | null): Buffer =>
  chunkEvent({ choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] })
const first = event({ role: 'assistant', content: '' }, null)
const middle = event({ content: ' quarterly' }, null)
const end = Buffer.concat([
  event({}, 'stop'),
  chunkEvent({ choices: [], usage: { prompt_tokens: 512, completion_tokens: eventCount, total_tokens: 512 + eventCount } }),
  Buffer.from('data: [DONE]\n\n'),
])

function chunkEvent(fields: object): Buffer {
  const chunk = { id: 'chatcmpl-bench0001', object: 'chat.completion.chunk', created: 1_790_000_000, model: 'bench-model-2026', ...fields }
  return Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`)
}

/** An event that says when it was written, in microseconds of a clock that every process of the machine shares. */
function stamped(): Buffer {
  return event({ content: ` ${Math.round((performance.timeOrigin + performance.now()) * 1000)}` }, null)
}

function stream(response: ServerResponse, count: number, everyMs: number, next: () => Buffer): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  response.write(first)
  let left = count
  const timer = setInterval(() => {
    left -= 1
    if (left > 0) {
      response.write(next())
      return
    }
    clearInterval(timer)
    response.end(end)
  }, everyMs)
  response.once('close', () => clearInterval(timer))
}

/** The events of a whole stream, each with other words, cut into pieces that begin and end inside events. */
const pieces = piecesOf(
  Buffer.concat([first, ...Array.from({ length: eventCount }, (_, index) => event({ content: ` word${index}` }, null)), end]),
  4,
)

function piecesOf(bytes: Buffer, count: number): readonly Buffer[] {
  const size = Math.ceil(bytes.length / count)
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * size, (index + 1) * size))
}

function burst(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  let next = 0
  const writeNext = (): void => {
    const piece = pieces[next++]
    if (piece === undefined) response.end()
    else response.write(piece, () => setImmediate(writeNext))
  }
  writeNext()
}

serve((request, response) => {
  request.resume()
  request.once('end', () => {
    const url = request.url ?? ''
    if (url.startsWith('/sse/')) stream(response, eventCount, 5, () => middle)
    else if (url.startsWith('/burst/')) burst(response)
    else if (url.startsWith('/stamped/')) stream(response, eventCount, 5, stamped)
    else if (url.startsWith('/slow/')) stream(response, slowEventCount, 500, () => middle)
    else response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length }).end(answer)
  })
})
