/**
 * Converse as Bedrock sends it: the fields, the events and their frames, which are made by AWS's own codec. One answer in, the
 * bytes of it out.
 */
import { EventStreamCodec } from '@smithy/core/event-streams'
import type { Json } from './json.ts'
import type { HistoryMessage } from './model-history.ts'
import type { ModelAnswer } from './model-answer.ts'
import { pieces } from './openai-wire.ts'

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes as Uint8Array).toString('utf8'),
  (text) => Buffer.from(text, 'utf8'),
)

/** One frame; an exception when its type says so. */
export function frame(type: string, payload: object | Buffer): Buffer {
  const kind = type.endsWith('Exception') ? 'exception' : 'event'
  const value = (text: string) => ({ type: 'string' as const, value: text })
  const headers = { [`:${kind}-type`]: value(type), ':content-type': value('application/json'), ':message-type': value(kind) }
  return Buffer.from(codec.encode({ headers, body: Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload)) }))
}

/** Events of Messages as InvokeModel streams them: each in base64 in a frame of its own. */
export function chunkFrames(events: readonly string[]): Buffer[] {
  return events.flatMap((event) => {
    const data = /^data: (.*)$/m.exec(event)?.[1] ?? ''
    // There are no pings there.
    return data.includes('"ping"') ? [] : [frame('chunk', { bytes: Buffer.from(data).toString('base64'), p: 'abcdefg' })]
  })
}

/** The frames of a stream: what kind each is of, and what it says. Throws for one that is damaged, and for a rest. */
export function framesOf(bytes: Buffer): { readonly type: string; readonly payload: Json }[] {
  const frames: { type: string; payload: Json }[] = []
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32BE(at)
    const { headers, body } = codec.decode(bytes.subarray(at, at + length))
    const type = String((headers[':event-type'] ?? headers[':exception-type'])?.value)
    frames.push({ type, payload: JSON.parse(Buffer.from(body).toString('utf8')) as Json })
    at += length
  }
  return frames
}

export const eventStreamHeaders = { 'content-type': 'application/vnd.amazon.eventstream', 'x-amzn-requestid': 'b2a3c4d5-vendor' }

function blocksOf(answer: ModelAnswer): Json[] {
  const { thinking, text, calls = [] } = answer
  return [
    ...(thinking === undefined ? [] : [{ reasoningContent: { reasoningText: thinking } }]),
    ...(text === undefined ? [] : [{ text }]),
    ...calls.map(({ id, name, args }) => ({
      toolUse: { input: typeof args === 'string' ? JSON.parse(args || '{}') : (args ?? {}), name, toolUseId: id },
    })),
  ]
}

function stopReasonOf(answer: ModelAnswer): string {
  const finish = answer.finish ?? (answer.calls?.length ? 'tool_calls' : 'stop')
  return { stop: 'end_turn', tool_calls: 'tool_use', length: 'max_tokens' }[finish]
}

function usageOf(answer: ModelAnswer): Json {
  const { input = 82, output = 17 } = answer.usage ?? {}
  return { cacheReadInputTokens: 0, cacheWriteInputTokens: 0, inputTokens: input, outputTokens: output, totalTokens: input + output }
}

/** The body of a whole answer. */
export function converseMessage(answer: ModelAnswer): string {
  return JSON.stringify({
    metrics: { latencyMs: 412 },
    output: { message: { content: blocksOf(answer), role: 'assistant' } },
    stopReason: stopReasonOf(answer),
    usage: usageOf(answer),
  })
}

/** The events of a streamed answer, each with its type. `p` pads them, so that nobody can tell words by their length. */
export function converseEvents(answer: ModelAnswer): [string, Json][] {
  const events: [string, Json][] = [['messageStart', { p: 'abcdefgh', role: 'assistant' }]]
  for (const [contentBlockIndex, block] of blocksOf(answer).entries()) {
    const delta = (said: Json): [string, Json] => ['contentBlockDelta', { contentBlockIndex, delta: said, p: 'abcdefghijkl' }]
    if (block.text !== undefined) events.push(...pieces(block.text, 9).map((text) => delta({ text })))
    else if (block.toolUse === undefined) {
      const { text, signature } = block.reasoningContent.reasoningText
      events.push(delta({ reasoningContent: { text } }), delta({ reasoningContent: { signature } }))
    } else {
      const { input, name, toolUseId } = block.toolUse
      events.push(['contentBlockStart', { contentBlockIndex, p: 'abc', start: { toolUse: { name, toolUseId } } }])
      const json = JSON.stringify(input)
      // Nothing is said of a call without arguments.
      if (json !== '{}') events.push(...pieces(json, 7).map((part) => delta({ toolUse: { input: part } })))
    }
    events.push(['contentBlockStop', { contentBlockIndex, p: 'abcde' }])
  }
  return [
    ...events,
    ['messageStop', { p: 'abcdefghijk', stopReason: stopReasonOf(answer) }],
    ['metadata', { metrics: { latencyMs: 412 }, p: 'ab', usage: usageOf(answer) }],
  ]
}

/** The same as frames. */
export function converseFrames(answer: ModelAnswer): Buffer[] {
  return converseEvents(answer).map(([type, payload]) => frame(type, payload))
}

/** The messages of a request. Throws for content that Bedrock would refuse. */
export function historyOfConverse(messages: readonly Json[]): HistoryMessage[] {
  return messages.map(({ role, content }, index) => {
    const blocks = content as Json[]
    if (role !== (index % 2 === 0 ? 'user' : 'assistant')) throw new Error(`message ${index} is not in turn`)
    if (blocks.length === 0 || blocks.some(({ text }) => text === '')) throw new Error(`message ${index} has empty content`)
    return {
      role,
      text: textOf(blocks),
      calls: blocks.flatMap(({ toolUse: call }) => (call === undefined ? [] : [{ id: call.toolUseId, name: call.name, args: call.input }])),
      results: blocks.flatMap(({ toolResult: result }) =>
        result === undefined ? [] : [{ id: result.toolUseId, text: textOf(result.content) }],
      ),
    }
  })
}

function textOf(blocks: readonly Json[]): string {
  return blocks.map(({ text }) => String(text ?? '')).join('')
}
