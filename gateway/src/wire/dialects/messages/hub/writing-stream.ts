/** Neutral events as a messages stream: the parts are its blocks. */
import type { JsonObject } from '../../../../core/json.ts'
import { acceptedId } from '../../../hub/accepted-names.ts'
import type { GrowingPart, HubEvent, Seal, StreamWriter } from '../../../hub/events.ts'
import { unnamedMessage } from './answers.ts'
import { writeFinish } from './finish.ts'
import { signatureOf, stateBlock } from './marks.ts'
import { writeUsage } from './usage.ts'

interface OpenBlock {
  readonly part: number
  readonly block: number
  readonly content: GrowingPart
}

export class MessagesStreamWriter implements StreamWriter {
  #out = ''
  #callCount = 0
  #nextBlock = 0
  /** Open parts and the blocks they are. */
  readonly #open = new Map<number, OpenBlock>()
  /** The one begun last, which most text is for. */
  #last: OpenBlock | undefined

  take(): string {
    const text = this.#out
    this.#out = ''
    return text
  }

  write(event: HubEvent): void {
    switch (event.kind) {
      case 'start':
        return this.#start(event.id, event.model)
      case 'part-start':
        return this.#startPart(event.part, event.content)
      case 'part-text':
        return this.#text(event.part, event.text)
      case 'part-end':
        return this.#endPart(event.part, event.seal)
      case 'whole-part': {
        const { content } = event
        if (content.kind === 'state') this.#whole(stateBlock(content))
        else if (content.family === 'anthropic') this.#whole({ type: 'redacted_thinking', data: content.data })
        return
      }
      case 'end':
        this.#event({
          type: 'message_delta',
          delta: { stop_reason: writeFinish(event.finish, this.#callCount > 0), stop_sequence: event.finish.stopSequence ?? null },
          usage: writeUsage(event.usage),
        })
        return this.#event({ type: 'message_stop' })
      case 'error':
        this.#event({ type: 'error', error: { type: event.error.type, message: event.error.message } })
    }
  }

  #start(id: string | undefined, model: string): void {
    const message = {
      id: id ?? unnamedMessage(),
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 0, output_tokens: 0 },
    }
    this.#event({ type: 'message_start', message })
  }

  #startPart(part: number, content: GrowingPart): void {
    const block = this.#nextBlock++
    this.#last = { part, block, content }
    this.#open.set(part, this.#last)
    if (content.kind === 'call') this.#callCount++
    this.#event({ type: 'content_block_start', index: block, content_block: startOf(content) })
  }

  #text(part: number, text: string): void {
    const open = this.#last?.part === part ? this.#last : this.#open.get(part)
    if (open !== undefined) this.#event({ type: 'content_block_delta', index: open.block, delta: deltaOf(open.content, text) })
  }

  #endPart(part: number, seal: Seal | undefined): void {
    const open = this.#open.get(part)
    if (open === undefined) return
    this.#open.delete(part)
    this.#last = undefined
    const { block, content } = open
    if (content.kind === 'reasoning') {
      const signature = seal?.signature ?? signatureOf(content.origin)
      this.#event({ type: 'content_block_delta', index: block, delta: { type: 'signature_delta', signature } })
    }
    this.#event({ type: 'content_block_stop', index: block })
  }

  #whole(block: JsonObject): void {
    const index = this.#nextBlock++
    this.#event({ type: 'content_block_start', index, content_block: block })
    this.#event({ type: 'content_block_stop', index })
  }

  #event(payload: JsonObject & { type: string }): void {
    this.#out += `event: ${payload.type}\ndata: ${JSON.stringify(payload)}\n\n`
  }
}

function startOf(content: GrowingPart): JsonObject {
  if (content.kind === 'call') return { type: 'tool_use', id: acceptedId(content.id), name: content.name, input: {} }
  if (content.kind === 'reasoning') return { type: 'thinking', thinking: '', signature: '' }
  return { type: 'text', text: '', citations: null }
}

function deltaOf(content: GrowingPart, text: string): JsonObject {
  if (content.kind === 'call') return { type: 'input_json_delta', partial_json: text }
  return content.kind === 'reasoning' ? { type: 'thinking_delta', thinking: text } : { type: 'text_delta', text }
}
