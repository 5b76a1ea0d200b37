/** Neutral events as a chat-completions stream. Signed reasoning comes as text at once, and whole when it ends, so that a client can send it back by collecting. */
import { systemClock } from '../../../../core/clock.ts'
import type { JsonObject } from '../../../../core/json.ts'
import type { StreamOptions } from '../../../hub/dialect-hub.ts'
import type { HubSealed, HubState, ReasoningOrigin } from '../../../hub/conversation.ts'
import { type HubEvent, maxKeptCharacters, type Seal, type StreamWriter } from '../../../hub/events.ts'
import type { TokenLogprob } from '../../../hub/logprobs.ts'
import { tagOf } from '../../../hub/tags.ts'
import { malformed } from '../../../request/fields.ts'
import { toldTokens, unnamedCompletion } from './answers.ts'
import { writeFinish } from './finish.ts'
import { signedBlocks, stateFields, stateOfCalls } from './reasoning.ts'
import { writeUsage } from './usage.ts'

type OpenPart =
  | { readonly kind: 'text' }
  | { readonly kind: 'refusal' }
  | { readonly kind: 'call'; readonly index: number }
  | { readonly kind: 'reasoning'; text: string; readonly origin: ReasoningOrigin }

/** Calls that something hangs on. */
const mostStates = 1024

export class ChatStreamWriter implements StreamWriter {
  readonly #includeUsage: boolean
  readonly #created: number
  readonly #parts = new Map<number, OpenPart>()
  /** What hangs on calls, by the tag of their id; it comes before them. */
  readonly #states = new Map<string, JsonObject>()
  #out = ''
  #id = ''
  #model = ''
  #callCount = 0
  #kept = 0

  constructor({ includeUsage, created }: StreamOptions) {
    this.#includeUsage = includeUsage ?? true
    this.#created = created ?? Math.floor(systemClock.now() / 1000)
  }

  take(): string {
    const text = this.#out
    this.#out = ''
    return text
  }

  write(event: HubEvent): void {
    switch (event.kind) {
      case 'start':
        this.#id = event.id ?? unnamedCompletion()
        this.#model = event.model
        return this.#delta({ role: 'assistant', content: '' })
      case 'part-start':
        return this.#start(event)
      case 'part-text':
        return this.#text(this.#parts.get(event.part), event.text, event.logprobs)
      case 'part-end':
        return this.#endPart(event.part, event.seal)
      case 'whole-part':
        return this.#whole(event.content)
      case 'end':
        return this.#end(event)
      case 'error':
        this.#event({ error: { message: event.error.message, type: event.error.type, param: null, code: null } })
    }
  }

  #start({ part, content }: HubEvent & { readonly kind: 'part-start' }): void {
    if (content.kind === 'call') {
      const index = this.#callCount++
      this.#parts.set(part, { kind: 'call', index })
      const { id, name } = content
      const state = this.#states.size === 0 ? undefined : stateFields(this.#states.get(tagOf(id)) ?? {}, stateOfCalls)
      this.#delta({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' }, ...state }] })
    } else this.#parts.set(part, content.kind === 'reasoning' ? { kind: 'reasoning', text: '', origin: content.origin } : content)
  }

  #text(part: OpenPart | undefined, text: string, logprobs: readonly TokenLogprob[] = []): void {
    if (part === undefined) return
    if (part.kind === 'text') this.#delta({ content: text }, null, toldTokens(logprobs))
    else if (part.kind === 'call') this.#delta({ tool_calls: [{ index: part.index, function: { arguments: text } }] })
    else if (part.kind === 'refusal') this.#delta({ refusal: text })
    else {
      this.#kept += text.length
      if (this.#kept > maxKeptCharacters) throw malformed('the reasoning of its stream is too long')
      part.text += text
      this.#delta({ reasoning_content: text })
    }
  }

  #endPart(index: number, seal: Seal | undefined): void {
    const part = this.#parts.get(index)
    this.#parts.delete(index)
    if (part?.kind !== 'reasoning') return
    const origin = seal === undefined ? part.origin : { by: 'signature' as const, ...seal }
    this.#signed(signedBlocks([{ kind: 'reasoning', text: part.text, origin }]))
  }

  #whole(content: HubSealed | HubState): void {
    if (content.kind === 'sealed') this.#signed(signedBlocks([content]))
    else if (content.call !== undefined && this.#states.size < mostStates) this.#states.set(content.call, content.fields)
  }

  #signed(blocks: JsonObject[]): void {
    if (blocks.length > 0) this.#delta({ thinking_blocks: blocks })
  }

  #end({ finish, usage }: HubEvent & { readonly kind: 'end' }): void {
    if (finish.explanation !== undefined) this.#delta({ refusal: finish.explanation })
    this.#delta({}, writeFinish(finish, this.#callCount > 0))
    const written = this.#includeUsage ? writeUsage(usage) : undefined
    if (written !== undefined) this.#event({ ...this.#envelope(), choices: [], usage: written })
    this.#out += 'data: [DONE]\n\n'
  }

  #envelope(): JsonObject {
    return { id: this.#id, object: 'chat.completion.chunk', created: this.#created, model: this.#model }
  }

  #delta(delta: JsonObject, finish: string | null = null, logprobs: JsonObject | null = null): void {
    this.#event({ ...this.#envelope(), choices: [{ index: 0, delta, logprobs, finish_reason: finish }] })
  }

  #event(payload: JsonObject): void {
    this.#out += `data: ${JSON.stringify(payload)}\n\n`
  }
}
