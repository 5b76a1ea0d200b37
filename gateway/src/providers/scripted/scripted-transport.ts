/** Answers chat-completions requests from a script, in the vendor's own wire format, streaming or not. */
import type { CancelSignal } from '../../core/cancellation.ts'
import { hash } from 'node:crypto'
import { asText, isObject, type JsonObject } from '../../core/json.ts'
import type { BodySink, UpstreamResponse, UpstreamTransport } from '../transport.ts'
import { answer, readConversation, type ScriptedAnswer, type ScriptStep } from './script.ts'

export class ScriptedTransport implements UpstreamTransport {
  readonly #steps: readonly ScriptStep[]

  constructor(steps: readonly ScriptStep[]) {
    this.#steps = steps
  }

  send(request: { readonly body: Buffer | string }, signal: CancelSignal): Promise<ScriptedResponse> {
    const body: unknown = JSON.parse(request.body.toString())
    if (!isObject(body)) return Promise.reject(new Error('scripted upstream: the body is not an object'))
    const reply = answer(this.#steps, readConversation(body))
    // The id is a digest of the request: equal requests give equal answers, byte for byte.
    const id = hash('sha256', request.body, 'hex').slice(0, 24)
    if (reply.status !== undefined) {
      const error = { error: { message: `scripted status ${reply.status}`, type: 'scripted_error', param: null, code: null } }
      return Promise.resolve(new ScriptedResponse(reply.status, 'application/json', [JSON.stringify(error)], reply.delayMs, signal))
    }
    const parts = body.stream === true ? streamParts(id, body, reply) : [JSON.stringify(completion(id, body, reply))]
    const type = body.stream === true ? 'text/event-stream; charset=utf-8' : 'application/json'
    return Promise.resolve(new ScriptedResponse(200, type, parts, reply.delayMs, signal))
  }

  async close(): Promise<void> {}
}

class ScriptedResponse implements UpstreamResponse {
  readonly status: number
  readonly headers: Record<string, string>
  readonly #parts: readonly string[]
  readonly #delayMs: number
  readonly #signal: CancelSignal
  #paused = false
  #next = 0
  #sink: BodySink | undefined

  constructor(status: number, contentType: string, parts: readonly string[], delayMs: number, signal: CancelSignal) {
    this.status = status
    this.headers = { 'content-type': contentType, 'x-turnward-scripted': 'true' }
    this.#parts = parts
    this.#delayMs = delayMs
    this.#signal = signal
  }

  read(sink: BodySink): void {
    this.#sink = sink
    this.#pump()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#pump()
  }

  abort(): void {
    this.#sink = undefined
  }

  #pump = (): void => {
    while (this.#sink !== undefined && !this.#paused) {
      if (this.#signal.aborted) {
        this.#sink.onError(this.#signal.reason as Error)
        this.#sink = undefined
        return
      }
      const part = this.#parts[this.#next++]
      if (part === undefined) {
        this.#sink.onEnd()
        this.#sink = undefined
        return
      }
      this.#sink.onData(Buffer.from(part))
      if (this.#delayMs > 0) {
        setTimeout(this.#pump, this.#delayMs)
        return
      }
    }
  }
}

function toolCalls(id: string, reply: ScriptedAnswer): JsonObject[] {
  return reply.calls.map((call, index) => ({
    id: `call_${id.slice(0, 12)}_${index}`,
    type: 'function',
    function: { name: call.tool, arguments: JSON.stringify(call.args) },
  }))
}

// Four characters to a token: an estimate, but the same one every time.
function usage(body: JsonObject, reply: ScriptedAnswer): JsonObject {
  const prompt = Math.ceil(JSON.stringify(body.messages ?? []).length / 4)
  const output = Math.ceil((reply.text.length + JSON.stringify(reply.calls).length) / 4)
  return { prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output }
}

function completion(id: string, body: JsonObject, reply: ScriptedAnswer): JsonObject {
  const calls = toolCalls(id, reply)
  const message: JsonObject = { role: 'assistant', content: reply.text === '' && calls.length > 0 ? null : reply.text }
  if (calls.length > 0) message.tool_calls = calls
  return {
    id: `chatcmpl-${id}`,
    object: 'chat.completion',
    created: 0,
    model: asText(body.model),
    choices: [{ index: 0, message, logprobs: null, finish_reason: calls.length > 0 ? 'tool_calls' : 'stop' }],
    usage: usage(body, reply),
  }
}

function streamParts(id: string, body: JsonObject, reply: ScriptedAnswer): string[] {
  const head = { id: `chatcmpl-${id}`, object: 'chat.completion.chunk', created: 0, model: asText(body.model) }
  const event = (delta: JsonObject, finish: string | null): string =>
    `data: ${JSON.stringify({ ...head, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] })}\n\n`
  const parts = [event({ role: 'assistant', content: '' }, null)]
  for (const word of reply.text.match(/\S+\s*/g) ?? []) parts.push(event({ content: word }, null))
  toolCalls(id, reply).forEach((call, index) => {
    const { name, arguments: args } = call.function as { name: string; arguments: string }
    parts.push(event({ tool_calls: [{ index, id: asText(call.id), type: 'function', function: { name, arguments: '' } }] }, null))
    for (let at = 0; at < args.length; at += 24) {
      parts.push(event({ tool_calls: [{ index, function: { arguments: args.slice(at, at + 24) } }] }, null))
    }
  })
  parts.push(event({}, reply.calls.length > 0 ? 'tool_calls' : 'stop'))
  const options = body.stream_options
  if (isObject(options) && options.include_usage === true) {
    parts.push(`data: ${JSON.stringify({ ...head, choices: [], usage: usage(body, reply) })}\n\n`)
  }
  parts.push('data: [DONE]\n\n')
  return parts
}
