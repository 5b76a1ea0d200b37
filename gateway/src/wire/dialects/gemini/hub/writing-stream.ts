/** Neutral events as a Gemini stream: words as they come, a call when its arguments are whole. */
import type { JsonObject } from '../../../../core/json.ts'
import { parseArguments } from '../../../hub/call-arguments.ts'
import type { HubState } from '../../../hub/conversation.ts'
import { type GrowingPart, type HubEvent, maxKeptCharacters, type Seal, type StreamWriter } from '../../../hub/events.ts'
import type { TokenLogprob } from '../../../hub/logprobs.ts'
import { tagOf } from '../../../hub/tags.ts'
import { malformed } from '../../../request/fields.ts'
import { sayableParts } from '../calls.ts'
import { writeFinish } from './finish.ts'
import { writeLogprobs } from './logprobs.ts'
import { markOf } from './marks.ts'
import { callPart, markPart } from './parts.ts'
import { writeUsage } from './usage.ts'

interface Open {
  readonly content: GrowingPart
  text: string
}

export class GeminiStreamWriter implements StreamWriter {
  #out = ''
  #id: string | undefined
  #model = ''
  #kept = 0
  readonly #open = new Map<number, Open>()
  /** What hangs on calls that have not been written yet. */
  readonly #states = new Map<string, HubState>()

  take(): string {
    const text = this.#out
    this.#out = ''
    return text
  }

  write(event: HubEvent): void {
    switch (event.kind) {
      case 'start':
        this.#id = event.id
        this.#model = event.model
        return
      case 'part-start':
        this.#open.set(event.part, { content: event.content, text: '' })
        return
      case 'part-text':
        return this.#text(this.#open.get(event.part), event.text, event.logprobs)
      case 'part-end':
        return this.#endPart(event.part, event.seal)
      case 'whole-part': {
        const { content } = event
        if (content.kind === 'state' && content.call !== undefined) this.#states.set(content.call, content)
        else this.#part(markPart(markOf(content)))
        return
      }
      case 'end': {
        for (const state of this.#states.values()) this.#part(markPart(markOf(state)))
        const usage = writeUsage(event.usage)
        const { explanation } = event.finish
        const message = explanation === undefined ? {} : { finishMessage: explanation }
        return this.#event({
          candidates: [
            { content: { role: 'model', parts: sayableParts([]) }, finishReason: writeFinish(event.finish), ...message, index: 0 },
          ],
          ...(usage === undefined ? {} : { usageMetadata: usage }),
        })
      }
      case 'error': {
        const [code, status] = statusOf(event.error.type)
        this.#out += `data: ${JSON.stringify({ error: { code, message: event.error.message, status } })}\n\n`
      }
    }
  }

  #text(open: Open | undefined, text: string, logprobs: readonly TokenLogprob[] = []): void {
    if (open === undefined) return
    if (open.content.kind === 'reasoning') this.#part({ text, thought: true })
    else if (open.content.kind !== 'call') this.#part({ text }, writeLogprobs(logprobs))
    else {
      this.#kept += text.length
      if (this.#kept > maxKeptCharacters) throw malformed('the arguments of its tool calls are too long')
      open.text += text
    }
  }

  #endPart(part: number, seal: Seal | undefined): void {
    const open = this.#open.get(part)
    this.#open.delete(part)
    if (open?.content.kind === 'reasoning') {
      const origin = seal === undefined ? open.content.origin : ({ by: 'signature', ...seal } as const)
      if (origin.by !== 'unknown') this.#part(markPart(markOf({ kind: 'reasoning', origin })))
    } else if (open?.content.kind === 'call') this.#call(open.content, open.text)
  }

  /** Arguments that the length limit cut off are no arguments: the part stands last, where it is known as such. */
  #call({ id, name }: GrowingPart & { readonly kind: 'call' }, text: string): void {
    const tag = tagOf(id)
    const args = parseArguments(text) === undefined ? { text } : { value: parseArguments(text) }
    this.#part(callPart({ kind: 'call', id, name, args, at: '' }, this.#states.get(tag)))
    this.#states.delete(tag)
  }

  #part(part: JsonObject, told: JsonObject = {}): void {
    this.#event({ candidates: [{ content: { role: 'model', parts: [part] }, index: 0, ...told }] })
  }

  #event(payload: JsonObject): void {
    const whole = { ...payload, modelVersion: this.#model, ...(this.#id === undefined ? {} : { responseId: this.#id }) }
    this.#out += `data: ${JSON.stringify(whole)}\n\n`
  }
}

/** What other vendors' error types are called here. What has no word of its own is a failure of the upstream. */
function statusOf(type: string): readonly [number, string] {
  if (type === 'rate_limit_error') return [429, 'RESOURCE_EXHAUSTED']
  return type === 'overloaded_error' ? [503, 'UNAVAILABLE'] : [502, 'UNAVAILABLE']
}
