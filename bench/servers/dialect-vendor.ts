/**
 * A model vendor in every dialect: it reads a request to its end and answers from prebuilt bytes, whole or as a stream of 100
 * events, 5 ms apart. The end of the path says which dialect; `/sse/` at its beginning, or the dialect's own way, says a stream.
 */
import type { ServerResponse } from 'node:http'
import { message, messageEvents } from '../../conformance/harness/anthropic-wire.ts'
import { converseFrames, converseMessage, eventStreamHeaders } from '../../conformance/harness/converse-wire.ts'
import { geminiAnswer, geminiEvents } from '../../conformance/harness/gemini-wire.ts'
import type { ModelAnswer } from '../../conformance/harness/model-answer.ts'
import { chatCompletion, chatCompletionEvents } from '../../conformance/harness/openai-wire.ts'
import { response as responseBody, responseEvents } from '../../conformance/harness/responses-wire.ts'
import { serve } from './serving.ts'

const text = 'The quarterly figures are in the shared folder; the meeting moved to Thursday and Northwind was paid. '
  .repeat(9)
  .slice(0, 880)
const answer: ModelAnswer = { text, usage: { input: 512, output: 203 } }
const model = 'bench-model-2026'
const eventStream = 'text/event-stream; charset=utf-8'

interface Bytes {
  readonly ends: string
  readonly whole: Buffer
  readonly events: readonly Buffer[]
  readonly type: string
}

const buffers = (parts: readonly string[]): Buffer[] => parts.map((part) => Buffer.from(part))
const dialects: readonly Bytes[] = [
  {
    ends: '/chat/completions',
    whole: Buffer.from(chatCompletion(answer, model)),
    events: buffers(chatCompletionEvents(answer, model, true)),
    type: eventStream,
  },
  { ends: '/messages', whole: Buffer.from(message(answer, model)), events: buffers(messageEvents(answer, model)), type: eventStream },
  {
    ends: '/responses',
    whole: Buffer.from(responseBody(answer, model)),
    events: buffers(responseEvents(answer, model)),
    type: eventStream,
  },
  {
    ends: '/converse',
    whole: Buffer.from(converseMessage(answer)),
    events: converseFrames(answer),
    type: eventStreamHeaders['content-type'],
  },
  {
    ends: ':generateContent',
    whole: Buffer.from(geminiAnswer(answer, model)),
    events: buffers(geminiEvents(answer, model)),
    type: eventStream,
  },
]

function stream(response: ServerResponse, { events, type }: Bytes): void {
  response.writeHead(200, { 'content-type': type })
  let next = 0
  const timer = setInterval(() => {
    response.write(events[next++])
    if (next < events.length) return
    clearInterval(timer)
    response.end()
  }, 5)
  response.once('close', () => clearInterval(timer))
}

serve((request, response) => {
  request.resume()
  request.once('end', () => {
    const url = request.url ?? ''
    const isStream = url.startsWith('/sse/')
    const bytes = dialects.find(({ ends }) =>
      url
        .replace(/-stream$|\?.*$/, '')
        .replace('streamG', 'g')
        .endsWith(ends),
    )
    if (bytes === undefined) response.writeHead(404).end(`nothing at ${url}`)
    else if (isStream) stream(response, bytes)
    else response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.whole.length }).end(bytes.whole)
  })
})
