/** Neutral events as a Converse stream: the parts are its blocks. */
import type { JsonObject } from '../../../../core/json.ts'
import { acceptedId } from '../../../hub/accepted-names.ts'
import type { GrowingPart, HubEvent, Seal, StreamWriter } from '../../../hub/events.ts'
import { writeUsage } from './usage.ts'
import { writeFinish } from './finish.ts'
import { showReasoning } from './reasoning.ts'

interface OpenBlock {
  readonly block: number
  readonly content: GrowingPart
}

export class ConverseStreamWriter implements StreamWriter {
  #out = ''
  #callCount = 0
  #nextBlock = 0
  /** Open parts and the blocks they are. */
  readonly #open = new Map<number, OpenBlock>()

  take(): string {
    const text = this.#out
    this.#out = ''
    return text
  }

  write(event: HubEvent): void {
    switch (event.kind) {
      case 'start':
        return this.#event('messageStart', { role: 'assistant' })
      case 'part-start': {
        const contentBlockIndex = this.#nextBlock++
        const { content } = event
        this.#open.set(event.part, { block: contentBlockIndex, content })
        if (content.kind !== 'call') return
        this.#callCount++
        return this.#event('contentBlockStart', {
          contentBlockIndex,
          start: { toolUse: { toolUseId: acceptedId(content.id), name: content.name } },
        })
      }
      case 'part-text':
        return this.#text(event.part, event.text)
      case 'part-end':
        return this.#endPart(event.part, event.seal)
      case 'whole-part': {
        if (event.content.kind !== 'sealed') return
        const [shown] = showReasoning(event.content)
        if (shown === undefined) return
        const contentBlockIndex = this.#nextBlock++
        this.#event('contentBlockDelta', { contentBlockIndex, delta: shown })
        return this.#event('contentBlockStop', { contentBlockIndex })
      }
      case 'end':
        this.#event('messageStop', { stopReason: writeFinish(event.finish, this.#callCount > 0) })
        return this.#event('metadata', { usage: writeUsage(event.usage), metrics: { latencyMs: 0 } })
      case 'error':
        this.#event('modelStreamErrorException', { message: event.error.message })
    }
  }

  #text(part: number, text: string): void {
    const open = this.#open.get(part)
    if (open !== undefined) this.#event('contentBlockDelta', { contentBlockIndex: open.block, delta: deltaOf(open.content, text) })
  }

  #endPart(part: number, seal: Seal | undefined): void {
    const open = this.#open.get(part)
    if (open === undefined) return
    this.#open.delete(part)
    const { block: contentBlockIndex, content } = open
    const origin = content.kind === 'reasoning' ? content.origin : undefined
    const signature = seal?.signature ?? (origin?.by === 'signature' ? origin.signature : undefined)
    if (signature !== undefined) this.#event('contentBlockDelta', { contentBlockIndex, delta: { reasoningContent: { signature } } })
    this.#event('contentBlockStop', { contentBlockIndex })
  }

  #event(type: string, payload: JsonObject): void {
    this.#out += `event: ${type}\ndata: ${JSON.stringify(payload)}\n\n`
  }
}

function deltaOf(content: GrowingPart, text: string): JsonObject {
  if (content.kind === 'call') return { toolUse: { input: text } }
  return content.kind === 'reasoning' ? { reasoningContent: { text } } : { text }
}
