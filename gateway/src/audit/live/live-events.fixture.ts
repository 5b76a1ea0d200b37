/** Server-sent events as a client reads them (HTML, section 9.2.6), and a listener that keeps what it is sent. */
import type { liveDecisionsSchema } from '@turnward/contract/api/live'
import type { z } from 'zod'
import type { TurnwardError } from '../../core/error.ts'
import type { LiveGap } from './live-events.ts'
import type { LiveOutlet } from './live-feed.ts'

export interface ReadEvents {
  /** Ids of the records, as they came. */
  readonly records: readonly string[]
  readonly gaps: readonly LiveGap[]
  /** Codes of the events that end. */
  readonly ends: readonly string[]
  /** The last id. */
  readonly id: string | undefined
}

export function readEvents(text: string): ReadEvents {
  const records: string[] = []
  const gaps: LiveGap[] = []
  const ends: string[] = []
  let id: string | undefined
  for (const block of text.split('\n\n').slice(0, -1)) {
    const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
    id = fields.get('id') ?? id
    const data: unknown = JSON.parse(fields.get('data') ?? 'null')
    const event = fields.get('event')
    if (event === 'decisions') records.push(...(data as z.output<typeof liveDecisionsSchema>).decisions.map(({ record }) => record.id))
    else if (event === 'gap') gaps.push(data as LiveGap)
    else if (event === 'end') ends.push((data as { error: { code: string } }).error.code)
  }
  return { records, gaps, ends, id }
}

/** A listener that takes everything, unless it is told to hold. */
export class KeepingOutlet implements LiveOutlet {
  text = ''
  error: TurnwardError | undefined
  isHolding = false
  #taken: (() => void) | undefined

  write(text: string, taken: () => void): void {
    this.text += text
    if (this.isHolding) this.#taken = taken
    else taken()
  }

  end(error: TurnwardError): void {
    this.error = error
  }

  release(): void {
    this.isHolding = false
    this.#taken?.()
  }

  get events(): ReadEvents {
    return readEvents(this.text)
  }
}
