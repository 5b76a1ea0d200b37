/**
 * Messages as api.anthropic.com sends it: the fields, their order, the spacing of streamed events. One answer in, the bytes
 * of a whole answer or of each event out.
 */
import type { ModelAnswer } from './model-answer.ts'
import { pieces } from './openai-wire.ts'

const finishOf = (answer: ModelAnswer): string => {
  const finish = answer.finish ?? (answer.calls?.length ? 'tool_calls' : 'stop')
  return { stop: 'end_turn', tool_calls: 'tool_use', length: 'max_tokens' }[finish]
}

const usageOf = (answer: ModelAnswer, output: number) => ({
  input_tokens: answer.usage?.input ?? 82,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
  output_tokens: output,
  service_tier: 'standard',
})

const outputOf = (answer: ModelAnswer): number => answer.usage?.output ?? 17

type Block = { readonly type: string; readonly [key: string]: unknown }

/** `isStreamed`: input may then be text that is no whole JSON. */
function blocksOf(answer: ModelAnswer, isStreamed = false): Block[] {
  const blocks: Block[] = []
  if (answer.thinking !== undefined) blocks.push({ type: 'thinking', thinking: answer.thinking.text, signature: answer.thinking.signature })
  if (answer.searched !== undefined) {
    const found = {
      type: 'web_search_result',
      url: 'https://example.com/',
      title: 'Found',
      encrypted_content: 'RXhhbXBsZQ==',
      page_age: null,
    }
    blocks.push({ type: 'server_tool_use', id: 'srvtoolu_01', name: 'web_search', input: { query: answer.searched } })
    blocks.push({ type: 'web_search_tool_result', tool_use_id: 'srvtoolu_01', content: [found] })
  }
  if (answer.text !== undefined) blocks.push({ type: 'text', text: answer.text })
  for (const { id, name, args } of answer.calls ?? []) {
    blocks.push({ type: 'tool_use', id, name, input: typeof args === 'string' && !isStreamed ? JSON.parse(args || '{}') : (args ?? {}) })
  }
  return blocks
}

const head = (answer: ModelAnswer, model: string) => ({
  model,
  id: 'msg_01XFDUDYJgAACzvnptvVoYEL',
  type: 'message',
  role: 'assistant',
  ...(answer.container === undefined ? {} : { container: answer.container }),
})

/** The body of a whole answer. */
export function message(answer: ModelAnswer, model: string): string {
  return JSON.stringify({
    ...head(answer, model),
    content: blocksOf(answer),
    stop_reason: finishOf(answer),
    stop_sequence: null,
    usage: usageOf(answer, outputOf(answer)),
  })
}

/** The events of a streamed answer. */
export function messageEvents(answer: ModelAnswer, model: string): string[] {
  const events = [
    event({
      type: 'message_start',
      message: { ...head(answer, model), content: [], stop_reason: null, stop_sequence: null, usage: usageOf(answer, 1) },
    }),
  ]
  for (const [index, block] of blocksOf(answer, true).entries()) {
    events.push(event({ type: 'content_block_start', index, content_block: emptied(block) }))
    if (index === 0) events.push(event({ type: 'ping' }))
    for (const delta of deltasOf(block)) events.push(event({ type: 'content_block_delta', index, delta }))
    events.push(event({ type: 'content_block_stop', index }))
  }
  const usage = {
    input_tokens: answer.usage?.input ?? 82,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: outputOf(answer),
  }
  events.push(event({ type: 'message_delta', delta: { stop_reason: finishOf(answer), stop_sequence: null }, usage }))
  return [...events, event({ type: 'message_stop' })]
}

function emptied(block: Block): Block {
  if (block.type === 'text') return { type: 'text', text: '' }
  if (block.type === 'thinking') return { type: 'thinking', thinking: '', signature: '' }
  return block.type === 'web_search_tool_result' ? block : { ...block, input: {} }
}

function deltasOf(block: Block): object[] {
  if (block.type === 'text') return pieces(String(block.text), 9).map((text) => ({ type: 'text_delta', text }))
  if (block.type === 'thinking') {
    const thoughts = pieces(String(block.thinking), 12).map((thinking) => ({ type: 'thinking_delta', thinking }))
    return [...thoughts, { type: 'signature_delta', signature: block.signature }]
  }
  if (block.type === 'web_search_tool_result') return []
  // The vendor opens every tool input with an empty fragment, and sends nothing more when there are no arguments.
  const json = typeof block.input === 'string' ? block.input : JSON.stringify(block.input)
  return ['', ...(json === '{}' ? [] : pieces(json, 7))].map((partial_json) => ({ type: 'input_json_delta', partial_json }))
}

function event(value: { readonly type: string; readonly [key: string]: unknown }): string {
  return `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`
}
