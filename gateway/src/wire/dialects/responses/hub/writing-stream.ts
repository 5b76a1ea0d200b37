/** Neutral events as a responses stream: every part is an item of its own. */
import { systemClock } from '../../../../core/clock.ts'
import { asText, type JsonObject } from '../../../../core/json.ts'
import type { StreamOptions } from '../../../hub/dialect-hub.ts'
import type { GrowingPart, HubEvent, Seal, StreamWriter } from '../../../hub/events.ts'
import { messageItem, refusalItem, textPart } from './answers.ts'
import { type TokenLogprob, writeLogprobs } from '../../../hub/logprobs.ts'
import { type Envelope, itemId, responseObject, unnamedResponse } from './envelope.ts'
import { nativeName, searchName, writeCall } from './names.ts'
import { reasoningItem } from './sealed.ts'

interface OpenItem {
  readonly index: number
  readonly id: string
  readonly content: GrowingPart
  text: string
  readonly logprobs: TokenLogprob[]
}

export class ResponsesStreamWriter implements StreamWriter {
  #out = ''
  #sequence = 0
  #envelope: Envelope
  readonly #open = new Map<number, OpenItem>()
  /** Items that have ended, by their index. */
  readonly #items: JsonObject[] = []
  #count = 0

  constructor({ created }: StreamOptions) {
    this.#envelope = { id: '', model: '', created: created ?? Math.floor(systemClock.now() / 1000) }
  }

  take(): string {
    const text = this.#out
    this.#out = ''
    return text
  }

  write(event: HubEvent): void {
    switch (event.kind) {
      case 'start':
        this.#envelope = { ...this.#envelope, id: event.id ?? unnamedResponse(), model: event.model }
        for (const type of ['response.created', 'response.in_progress'])
          this.#event({ type, response: responseObject(this.#envelope, [], undefined, undefined) })
        return
      case 'part-start':
        return this.#start(event.part, event.content)
      case 'part-text':
        return this.#text(event.part, event.text, event.logprobs)
      case 'part-end':
        return this.#end(event.part, event.seal)
      case 'whole-part': {
        const index = this.#count++
        return this.#whole(index, reasoningItem(event.content, itemId('rs', this.#envelope, index)))
      }
      case 'end': {
        for (const part of this.#open.keys()) this.#end(part, undefined)
        const { explanation } = event.finish
        if (explanation !== undefined && explanation !== '') {
          const index = this.#count++
          this.#whole(index, refusalItem(explanation, itemId('msg', this.#envelope, index)))
        }
        const response = responseObject(this.#envelope, this.#items, event.finish, event.usage)
        return this.#event({ type: `response.${asText(response.status)}`, response })
      }
      case 'error': {
        const { message, type } = event.error
        this.#event({ type: 'error', code: type, message, param: null, error: { message, type, param: null, code: null } })
      }
    }
  }

  #start(part: number, content: GrowingPart): void {
    const index = this.#count++
    const prefix = content.kind === 'reasoning' ? 'rs' : content.kind === 'call' ? 'fc' : 'msg'
    const id = itemId(prefix, this.#envelope, index)
    this.#open.set(part, { index, id, content, text: '', logprobs: [] })
    const at = { item_id: id, output_index: index }
    if (content.kind === 'call') {
      const item = writeCall({ ...content, args: { text: '' } }, id, 'in_progress')
      return this.#event({ type: 'response.output_item.added', output_index: index, item })
    }
    if (content.kind === 'reasoning') {
      this.#event({ type: 'response.output_item.added', output_index: index, item: { id, type: 'reasoning', summary: [] } })
      const empty = { type: 'summary_text', text: '' }
      return this.#event({ type: 'response.reasoning_summary_part.added', ...at, summary_index: 0, part: empty })
    }
    const item = { id, type: 'message', status: 'in_progress', role: 'assistant', content: [] }
    this.#event({ type: 'response.output_item.added', output_index: index, item })
    this.#event({ type: 'response.content_part.added', ...at, content_index: 0, part: textOrRefusal(content.kind, '') })
  }

  #text(part: number, text: string, logprobs: readonly TokenLogprob[] = []): void {
    const open = this.#open.get(part)
    if (open === undefined) return
    open.text += text
    open.logprobs.push(...logprobs)
    const at = { item_id: open.id, output_index: open.index }
    const { content } = open
    if (content.kind === 'text')
      this.#event({
        type: 'response.output_text.delta',
        ...at,
        content_index: 0,
        delta: text,
        logprobs: writeLogprobs(logprobs, undefined),
      })
    else if (content.kind === 'refusal') this.#event({ type: 'response.refusal.delta', ...at, content_index: 0, delta: text })
    else if (content.kind === 'reasoning')
      this.#event({ type: 'response.reasoning_summary_text.delta', ...at, summary_index: 0, delta: text })
    // The input of a custom tool stands inside of arguments: it is known when they are whole.
    else if (content.name !== searchName && !nativeName(content.name).isCustom)
      this.#event({ type: 'response.function_call_arguments.delta', ...at, delta: text })
  }

  #end(part: number, seal: Seal | undefined): void {
    const open = this.#open.get(part)
    if (open === undefined) return
    this.#open.delete(part)
    const { index, id, content, text, logprobs } = open
    const at = { item_id: id, output_index: index }
    switch (content.kind) {
      case 'text':
      case 'refusal': {
        const isText = content.kind === 'text'
        if (isText)
          this.#event({ type: 'response.output_text.done', ...at, content_index: 0, text, logprobs: writeLogprobs(logprobs, undefined) })
        else this.#event({ type: 'response.refusal.done', ...at, content_index: 0, refusal: text })
        this.#event({ type: 'response.content_part.done', ...at, content_index: 0, part: textOrRefusal(content.kind, text, logprobs) })
        return this.#done(index, isText ? messageItem(text, id, logprobs) : refusalItem(text, id))
      }
      case 'reasoning': {
        const origin = seal === undefined ? content.origin : { by: 'signature' as const, ...seal }
        this.#event({ type: 'response.reasoning_summary_text.done', ...at, summary_index: 0, text })
        this.#event({ type: 'response.reasoning_summary_part.done', ...at, summary_index: 0, part: { type: 'summary_text', text } })
        return this.#done(index, reasoningItem({ kind: 'reasoning', text, origin }, id))
      }
      case 'call': {
        const item = writeCall({ ...content, args: { text } }, id, 'completed')
        if (item.type === 'custom_tool_call') {
          this.#event({ type: 'response.custom_tool_call_input.delta', ...at, delta: item.input ?? '' })
          this.#event({ type: 'response.custom_tool_call_input.done', ...at, input: item.input ?? '' })
        } else if (item.type === 'function_call')
          this.#event({ type: 'response.function_call_arguments.done', ...at, name: item.name ?? '', arguments: text })
        return this.#done(index, item)
      }
    }
  }

  #whole(index: number, item: JsonObject): void {
    this.#event({ type: 'response.output_item.added', output_index: index, item })
    this.#done(index, item)
  }

  #done(index: number, item: JsonObject): void {
    this.#items[index] = item
    this.#event({ type: 'response.output_item.done', output_index: index, item })
  }

  #event(payload: JsonObject & { type: string }): void {
    this.#out += `event: ${payload.type}\ndata: ${JSON.stringify({ ...payload, sequence_number: this.#sequence++ })}\n\n`
  }
}

function textOrRefusal(kind: 'text' | 'refusal', text: string, logprobs: readonly TokenLogprob[] = []): JsonObject {
  return kind === 'text' ? textPart(text, logprobs) : { type: 'refusal', refusal: text }
}
