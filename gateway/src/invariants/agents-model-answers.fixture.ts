/** What the clients of the agents model test read out of an answer, in either dialect, whole or streamed. */
import type { ClientKind } from './agents-model-clients.fixture.ts'

export interface Answered {
  readonly text: string
  readonly calls: readonly { readonly id: string; readonly name: string; readonly args: object }[]
}

interface CallPiece {
  readonly index?: number
  readonly id?: string
  readonly function?: { readonly name?: string; readonly arguments?: string }
}
interface ChatPiece {
  readonly choices: readonly {
    readonly [from in 'message' | 'delta']?: { readonly content?: string | null; readonly tool_calls?: readonly CallPiece[] }
  }[]
}
interface Block {
  readonly type: string
  readonly text?: string
  readonly id?: string
  readonly name?: string
  readonly input?: object
}
interface NativeEvent {
  readonly type: string
  readonly content_block?: Block
  readonly delta?: { readonly text?: string; readonly partial_json?: string }
}

/** What the client reads out of the answer. */
export function readAnswer({ wire, streams }: ClientKind, text: string): Answered {
  if (wire === 'openai') return chatAnswer((streams ? eventsIn(text) : [JSON.parse(text)]) as readonly ChatPiece[])
  return nativeAnswer(
    streams ? blocksOf(eventsIn(text) as readonly NativeEvent[]) : (JSON.parse(text) as { readonly content: readonly Block[] }).content,
  )
}

function eventsIn(text: string): readonly unknown[] {
  const data = text.split('\n').filter((line) => line.startsWith('data: ') && line !== 'data: [DONE]')
  return data.map((line) => JSON.parse(line.slice(6)) as unknown)
}

function chatAnswer(pieces: readonly ChatPiece[]): Answered {
  let text = ''
  const calls: { id: string; name: string; text: string }[] = []
  for (const { choices } of pieces) {
    const { content, tool_calls: made = [] } = choices[0]?.delta ?? choices[0]?.message ?? {}
    text += content ?? ''
    for (const [position, { index = position, id = '', function: { name = '', arguments: args = '' } = {} }] of made.entries()) {
      const call = (calls[index] ??= { id: '', name: '', text: '' })
      calls[index] = { id: call.id + id, name: call.name + name, text: call.text + args }
    }
  }
  return { text, calls: calls.map(({ id, name, text: args }) => ({ id, name, args: JSON.parse(args) as object })) }
}

function blocksOf(events: readonly NativeEvent[]): Block[] {
  const blocks: { block: Block; text: string; json: string }[] = []
  for (const { type, content_block: block, delta } of events) {
    if (type === 'content_block_start' && block !== undefined) blocks.push({ block, text: block.text ?? '', json: '' })
    const last = blocks.at(-1)
    if (type !== 'content_block_delta' || last === undefined) continue
    last.text += delta?.text ?? ''
    last.json += delta?.partial_json ?? ''
  }
  return blocks.map(({ block, text, json }) => ({ ...block, text, input: JSON.parse(json || '{}') as object }))
}

function nativeAnswer(blocks: readonly Block[]): Answered {
  return {
    text: blocks.map(({ type, text }) => (type === 'text' ? (text ?? '') : '')).join(''),
    calls: blocks.flatMap(({ type, id = '', name = '', input = {} }) => (type === 'tool_use' ? [{ id, name, args: input }] : [])),
  }
}
