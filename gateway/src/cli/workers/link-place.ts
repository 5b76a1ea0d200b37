/** The shared state as a worker reaches it: a place of versioned values in the memory of the process that owns it. */
import { systemClock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import type { MemoryPlace } from '../../state/versioned/memory-place.ts'
import {
  wholeEpoch,
  type Epoch,
  type PlaceKey,
  type Reading,
  type VersionedPlace,
  type VersionedValue,
  type VersionedWrite,
  type WriteResult,
} from '../../state/versioned/versioned-place.ts'
import type { Link, LinkHandler, Spoken } from './link.ts'
import type { LinkTopics } from './topics.ts'

/** A key in the head of a message. */
type KeyHead = readonly [string, string]
/** Versions, and whether a text belongs to each. */
type ValuesHead = readonly (readonly [string, boolean])[]

interface WriteHead {
  readonly version: string
  readonly changes: readonly (readonly [...KeyHead, expected: string | null, livesMs: number, hasText: boolean])[]
  readonly checks: readonly (readonly [...KeyHead, expected: string])[]
  readonly reads: readonly KeyHead[]
  readonly announce: readonly string[]
}

interface ResultHead {
  readonly kind: 'ok' | 'conflict'
  /** Values of what is there instead come first, then those that were read. */
  readonly present: number
  readonly values: ValuesHead
}

export class LinkPlace implements VersionedPlace {
  readonly clock = systemClock
  readonly #link: Link
  readonly #topics: LinkTopics
  readonly #timeoutMs: number
  #isSilent = false

  constructor(link: Link, topics: LinkTopics, timeoutMs: number) {
    this.#link = link
    this.#topics = topics
    this.#timeoutMs = timeoutMs
  }

  async read(_slot: string, keys: readonly PlaceKey[]): Promise<Reading> {
    if (keys.length === 0) return { values: [], epoch: wholeEpoch }
    const { head, texts } = await this.#ask('read', { head: keys.map(keyHead) })
    return { values: valuesOf(head as ValuesHead, texts), epoch: wholeEpoch }
  }

  async write(_slot: string, { version, changes, checks, reads, announce }: VersionedWrite): Promise<WriteResult> {
    const head: WriteHead = {
      version,
      changes: changes.map(({ namespace, key, expected, livesMs, text }) => [
        namespace,
        key,
        expected ?? null,
        livesMs,
        text !== undefined,
      ]),
      checks: checks.map(({ namespace, key, expected }) => [namespace, key, expected]),
      reads: reads.map(keyHead),
      announce,
    }
    const answer = await this.#ask('write', { head, texts: changes.flatMap(({ text }) => (text === undefined ? [] : [text])) })
    const { kind, present, values: given } = answer.head as ResultHead
    const values = valuesOf(given, answer.texts)
    return kind === 'ok' ? { kind, reads: values } : { kind, present: values.slice(0, present), reads: values.slice(present) }
  }

  listen(topic: string, listener: () => void): () => void {
    return this.#topics.listen(topic, listener)
  }

  health(): string | undefined {
    return this.#isSilent ? 'the process that owns the state does not answer' : undefined
  }

  /** What the owner keeps in memory it keeps on disk as well. */
  epochOf(): Epoch {
    return wholeEpoch
  }

  lastLoss(): undefined {
    return undefined
  }

  /** The place belongs to the process that owns it. */
  async close(): Promise<void> {}

  async #ask(kind: string, spoken: Spoken): Promise<Required<Spoken>> {
    try {
      const answer = await this.#link.ask(kind, spoken, this.#timeoutMs)
      this.#isSilent = false
      return answer
    } catch (error) {
      if (!(error instanceof TurnwardError && error.code === 'cluster.gone')) throw error
      this.#isSilent = true
      throw new TurnwardError('state.unavailable', { why: this.health(), retryAfterSeconds: 1, cause: error })
    }
  }
}

/** Answers workers out of the place. `announced` hears of the topics of a write that was made. */
export function placeHandlers(place: MemoryPlace, announced: (topics: readonly string[]) => void): Readonly<Record<string, LinkHandler>> {
  return {
    read(head) {
      const values = place.read((head as readonly KeyHead[]).map(keyOf))
      return values instanceof Promise ? values.then(spokenValues) : spokenValues(values)
    },
    write(head, texts) {
      const write = writeOf(head as WriteHead, texts)
      const told = (result: WriteResult): Spoken => {
        if (result.kind === 'ok') announced(write.announce)
        return spokenResult(result)
      }
      const result = place.write(write)
      return result instanceof Promise ? result.then(told) : told(result)
    },
  }
}

function writeOf({ version, changes, checks, reads, announce }: WriteHead, texts: readonly string[]): VersionedWrite {
  let next = 0
  return {
    version,
    epoch: wholeEpoch.id,
    changes: changes.map(([namespace, key, expected, livesMs, hasText]) => ({
      ...keyOf([namespace, key]),
      expected: expected ?? undefined,
      livesMs,
      text: hasText ? texts[next++] : undefined,
    })),
    checks: checks.map(([namespace, key, expected]) => ({ ...keyOf([namespace, key]), expected })),
    reads: reads.map(keyOf),
    announce,
  }
}

function spokenResult(result: WriteResult): Spoken {
  const present = result.kind === 'conflict' ? result.present : []
  // Nothing is sent twice over a link, and the owner forgets nothing.
  const { head, texts = [] } = spokenValues([...present, ...('reads' in result ? result.reads : [])])
  return { head: { kind: result.kind === 'ok' ? 'ok' : 'conflict', present: present.length, values: head }, texts }
}

function spokenValues(values: readonly VersionedValue[]): Spoken {
  return {
    head: values.map(({ version, text }) => [version, text !== undefined]),
    texts: values.flatMap(({ text }) => (text === undefined ? [] : [text])),
  }
}

function valuesOf(head: ValuesHead, texts: readonly string[]): VersionedValue[] {
  let next = 0
  return head.map(([version, hasText]) => ({ version, text: hasText ? texts[next++] : undefined }))
}

function keyHead({ namespace, key }: PlaceKey): KeyHead {
  return [namespace, key]
}

function keyOf([namespace, key]: KeyHead): PlaceKey {
  return { namespace: namespace as PlaceKey['namespace'], key }
}
