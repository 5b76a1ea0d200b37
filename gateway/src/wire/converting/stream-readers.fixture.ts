/** Test readers: they take SSE text and put messages together the way the official clients do, strictly. */
import { isObject, type JsonObject } from '../../core/json.ts'
import type { FramedEvent } from '../hub/events.ts'
import type { StreamConverter } from './hub-stream.ts'
import { mergeMessagesUsage } from '../dialects/messages/hub/usage.ts'

/** Frames SSE text; the converters' own output is all it has to read. */
export function frames(text: string): FramedEvent[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const lines = block.split('\n')
      const field = (name: string): string[] =>
        lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2))
      return { event: field('event')[0], data: field('data').join('\n') }
    })
}

/** Everything a converter writes for these payloads, given as the data of events. */
export function run(converter: StreamConverter, payloads: readonly (JsonObject | '[DONE]')[]): string {
  const written = payloads.map((payload) =>
    converter.push(
      payload === '[DONE]'
        ? { event: undefined, data: payload }
        : { event: typeof payload.type === 'string' ? payload.type : undefined, data: JSON.stringify(payload) },
    ),
  )
  return written.join('') + converter.end()
}

export function payloads(text: string): JsonObject[] {
  return frames(text)
    .filter((frame) => frame.data !== '[DONE]')
    .map((frame) => object(JSON.parse(frame.data)))
}

function object(value: unknown): JsonObject {
  if (!isObject(value)) throw new Error('expected an object')
  return value
}

function list(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.map((item) => object(item)) : []
}

/** The message a messages stream adds up to. Throws where an official client would lose something. */
export function readMessagesStream(text: string): JsonObject {
  let message: JsonObject | undefined
  const blocks: JsonObject[] = []
  const json = new Map<number, string>()
  const open = new Set<number>()
  let stopped = false
  for (const event of payloads(text)) {
    if (event.type === 'error') throw new Error('error event')
    if (stopped) throw new Error('event after message_stop')
    if (event.type === 'message_start') {
      message = { ...object(event.message) }
      continue
    }
    if (message === undefined) throw new Error('event before message_start')
    const index = Number(event.index)
    if (event.type === 'content_block_start') {
      if (index !== blocks.length) throw new Error('blocks out of order')
      blocks.push({ ...object(event.content_block) })
      open.add(index)
    } else if (event.type === 'content_block_delta') {
      if (!open.has(index)) throw new Error('delta outside its block')
      applyDelta(object(blocks[index]), object(event.delta), (part) => json.set(index, (json.get(index) ?? '') + part))
    } else if (event.type === 'content_block_stop') {
      if (!open.delete(index)) throw new Error('stop of a block that is not open')
      const block = object(blocks[index])
      if (block.type === 'tool_use' && (json.get(index) ?? '') !== '') block.input = object(JSON.parse(json.get(index) ?? ''))
    } else if (event.type === 'message_delta') {
      Object.assign(message, object(event.delta))
      const usage = mergeMessagesUsage(object(message.usage), object(event.usage))
      if (usage !== undefined) message.usage = usage
    } else if (event.type === 'message_stop') stopped = true
  }
  if (message === undefined || !stopped || open.size > 0) throw new Error('the stream did not end')
  return { ...message, content: blocks }
}

function applyDelta(block: JsonObject, delta: JsonObject, addJson: (part: string) => void): void {
  if (delta.type === 'text_delta') block.text = String(block.text) + String(delta.text)
  else if (delta.type === 'thinking_delta') block.thinking = String(block.thinking) + String(delta.thinking)
  else if (delta.type === 'signature_delta') block.signature = String(delta.signature)
  else if (delta.type === 'input_json_delta') addJson(String(delta.partial_json))
  else throw new Error('unknown delta')
}

/** The response a chat-completions stream adds up to; `thinking_blocks` are collected. Throws where it does not end properly. */
export function readChatStream(text: string): JsonObject {
  if (!text.endsWith('data: [DONE]\n\n')) throw new Error('the stream did not end')
  const chunks = payloads(text)
  const message: JsonObject = { role: 'assistant', content: '', refusal: null }
  const calls: JsonObject[] = []
  const thinking: JsonObject[] = []
  let finish: unknown
  let usage: JsonObject | undefined
  for (const chunk of chunks) {
    if (chunk.error !== undefined) throw new Error('error event')
    if (isObject(chunk.usage)) usage = chunk.usage
    const choice = list(chunk.choices)[0]
    if (choice === undefined) continue
    if (finish !== undefined) throw new Error('delta after the finish reason')
    finish = choice.finish_reason ?? undefined
    const delta = object(choice.delta)
    for (const key of ['content', 'reasoning_content', 'refusal']) {
      if (typeof delta[key] === 'string') message[key] = `${typeof message[key] === 'string' ? message[key] : ''}${delta[key]}`
    }
    thinking.push(...list(delta.thinking_blocks))
    for (const fragment of list(delta.tool_calls)) addFragment(calls, fragment)
  }
  if (finish === undefined) throw new Error('no finish reason')
  if (thinking.length > 0) message.thinking_blocks = thinking
  if (calls.length > 0) message.tool_calls = calls
  if (message.content === '' && calls.length > 0) message.content = null
  const { id, model, created } = object(chunks[0])
  const choice: JsonObject = { index: 0, message, logprobs: null, finish_reason: String(finish) }
  return {
    id: id ?? '',
    object: 'chat.completion',
    created: created ?? 0,
    model: model ?? '',
    choices: [choice],
    ...(usage === undefined ? {} : { usage }),
  }
}

function addFragment(calls: JsonObject[], fragment: JsonObject): void {
  const index = Number(fragment.index)
  const called = object(fragment.function)
  const call = calls[index]
  if (call === undefined) {
    if (index !== calls.length) throw new Error('calls out of order')
    calls.push({ id: fragment.id ?? '', type: 'function', function: { ...called } })
  } else {
    const sofar = object(call.function)
    sofar.arguments = String(sofar.arguments) + String(called.arguments ?? '')
  }
}
