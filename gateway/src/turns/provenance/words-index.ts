/**
 * Words carry their label: the passages that were said or returned under a restricted label, per principal. Kept as keyed
 * numbers in a ring of segments, so that the oldest fall off and no contents are stored; in memory it is one map, which
 * takes up what other processes have added.
 */
import type { LabelRecord } from '@turnward/contract/decision'
import { BoundedMap } from '../../core/bounded-map.ts'
import type { Clock } from '../../core/clock.ts'
import { RememberedHashes } from '../../core/remembered-hashes.ts'
import type { WordsSegment } from '../../state/state-values.ts'
import { whenRead, type CallState, type MaybePromise, type StateStore } from '../../state/state-store.ts'
import { shingleKey, shinglesOf, type ShingleKey } from './shingles.ts'

/** Segments of one principal's ring, and what fits into one. */
const segments = 64
const passagesInSegment = 64
const printsInSegment = 4096
/** Of a longer text, one run in a few is kept: a passage must then be longer to be found. */
const longText = 2000
const sampling = 8
/** Principals whose index stays in memory. */
const mostPrincipals = 2000
/** Runs in one map, some of which have fallen out of the ring; beyond it the map is made anew. */
const mostPrints = 600_000
const bytesPerPrint = 6
/** Texts that come with every call, such as system prompts, whose answers one index remembers. */
const mostRemembered = 8

interface Index {
  readonly name: string
  readonly key: ShingleKey
  /** Run of words -> which of `labels` it carries. */
  readonly prints: Map<number, number>
  /** Distinct sets of labels, each the records that all count. */
  readonly labels: (readonly LabelRecord[])[]
  readonly labelNumbers: Map<string, number>
  /** The segment that is written now, and how many of its passages are in the map. */
  segment: number
  passages: number
  /** Where that segment and the next one are kept. */
  keys: { readonly segment: number; readonly now: string; readonly next: string }
  version: number
  /** Whether it has all that is stored: before, it knows too little to be asked. `loading`: it is being read. */
  isLoaded: boolean
  loading: Promise<Index> | undefined
  /** Texts that come with every call, and what was found in them. */
  readonly remembered: BoundedMap<string, { readonly version: number; readonly found: readonly LabelRecord[] }>
}

const nothing: readonly LabelRecord[] = []

export class WordsIndex {
  readonly #state: StateStore
  readonly #clock: Clock
  readonly #secret: Uint8Array
  readonly #names: RememberedHashes
  readonly #indexes: BoundedMap<string, Index>

  constructor(state: StateStore, clock: Clock, secret: Uint8Array, known?: WordsIndex) {
    this.#state = state
    this.#clock = clock
    this.#secret = secret
    this.#names = known === undefined ? new RememberedHashes() : known.#names
    this.#indexes = known === undefined ? new BoundedMap({ most: mostPrincipals }) : known.#indexes
  }

  /** The same words, as one call reads and adds to them in its state. */
  of(state: CallState): WordsIndex {
    return new WordsIndex(state, state.clock, this.#secret, this)
  }

  /** A call of this principal will ask for what has been added since. */
  expect(state: CallState, principal: string): void {
    const index = this.#index(principal)
    const { now, next } = keysOf(index.name, index.segment)
    state.expect('words', now)
    state.expect('words', next)
  }

  /** The labels of the passages a text repeats. The text is made only when it is looked at. Costs next to nothing while the principal has read nothing restricted. */
  find(principal: string, text: () => string): MaybePromise<readonly LabelRecord[]> {
    return whenRead(this.#upToDate(principal), (index) => (index.prints.size === 0 ? nothing : search(index, text())))
  }

  /** The same for a text that comes with every call of a conversation, such as its system prompt. */
  findAgain(principal: string, text: () => string): MaybePromise<readonly LabelRecord[]> {
    return whenRead(this.#upToDate(principal), (index) => (index.prints.size === 0 ? nothing : searchAgain(index, text())))
  }

  /** The runs of words of a text, as this principal's index knows them. */
  runs(principal: string, text: string): readonly number[] {
    return shinglesOf(text, this.#index(principal).key)
  }

  /** Remembers the passages of texts that were said or returned under a label. Those in `except` are known from elsewhere. */
  async remember(
    principal: string,
    texts: readonly string[],
    label: LabelRecord,
    except: ReadonlySet<number>,
    livesMs: number,
  ): Promise<void> {
    const index = await this.#upToDate(principal)
    const prints = texts
      .flatMap((text) => sampled(shinglesOf(text, index.key)))
      .filter((print) => !except.has(print) && !carries(index, print, label))
    for (let from = 0; from < prints.length; from += printsInSegment) {
      await this.#append(principal, index, { label, prints: encode(prints.slice(from, from + printsInSegment)) }, livesMs)
    }
  }

  async #append(
    principal: string,
    index: Index,
    passage: { readonly label: LabelRecord; readonly prints: string },
    livesMs: number,
  ): Promise<void> {
    const expires = this.#clock.now() + livesMs
    for (;;) {
      const number = index.segment
      const taken = await this.#state.change('words', segmentKey(index, number), (segment) => {
        if (segment !== undefined && segment.number > number) return { value: segment, expires, result: false }
        const own: WordsSegment = segment?.number === number ? segment : { number, passages: [] }
        const isFull = own.passages.length >= passagesInSegment || sizeOf(own.passages) + passage.prints.length > printsInSegment * 12
        // Closed before the next one begins: nobody may add where the others no longer look.
        if (isFull || own.isClosed === true)
          return { value: own.isClosed === true ? own : { ...own, isClosed: true }, expires, result: false }
        return { value: { ...own, passages: [...own.passages, passage] }, expires, result: true }
      })
      await this.#takeUp(index)
      if (index.prints.size > mostPrints) this.#indexes.delete(principal)
      if (taken) return
      // Full: the next one begins, in the place of the oldest.
      if (index.segment === number) {
        index.segment += 1
        index.passages = 0
      }
    }
  }

  /** The index of a principal with everything in it that has been added anywhere. */
  #upToDate(principal: string): MaybePromise<Index> {
    const index = this.#index(principal)
    if (index.isLoaded) return this.#takeUp(index)
    index.loading ??= this.#load(index)
    return index.loading
  }

  #index(principal: string): Index {
    let index = this.#indexes.get(principal)
    if (index === undefined) {
      const name = this.#names.of(this.#secret, 'words', principal)
      index = {
        name,
        key: shingleKey(this.#secret, principal),
        prints: new Map(),
        labels: [],
        labelNumbers: new Map(),
        segment: 0,
        passages: 0,
        keys: keysOf(name, 0),
        version: 0,
        isLoaded: false,
        loading: undefined,
        remembered: new BoundedMap({ most: mostRemembered }),
      }
      this.#indexes.set(principal, index)
    }
    return index
  }

  /** Reads the whole ring, and again when others have gone round it since it was read. */
  async #load(index: Index): Promise<Index> {
    index.isLoaded = false
    try {
      const places = Array.from({ length: segments }, async (_, place) => this.#state.get('words', segmentKey(index, place)))
      const stored = (await Promise.all(places)).filter((segment) => segment !== undefined)
      stored.sort((a, b) => a.number - b.number)
      // Everything has expired, or was lost: what is added next begins a ring.
      if (stored.length === 0) {
        index.segment = 0
        index.passages = 0
      }
      for (const [at, read] of stored.entries()) {
        // Read before it was closed, it may have got more before the one behind it began.
        const isWhole = read.isClosed === true || at === stored.length - 1
        const { number, passages } = isWhole ? read : ((await this.#state.get('words', segmentKey(index, read.number))) ?? read)
        for (const passage of passages) absorb(index, passage)
        index.segment = number
        index.passages = passages.length
      }
      index.isLoaded = true
    } finally {
      index.loading = undefined
    }
    // What was added while we read stands in the newest segments.
    return this.#takeUp(index)
  }

  /**
   * Takes up what has been added since. Most often nothing has, and memory says so at once. The next segment is asked for
   * first: once it has begun, this one is closed, and what is read of it then is all of it.
   */
  #takeUp(index: Index): MaybePromise<Index> {
    if (index.keys.segment !== index.segment) index.keys = keysOf(index.name, index.segment)
    const { segment: number, now, next: after } = index.keys
    return whenRead(this.#state.get('words', after), (next) =>
      whenRead(this.#state.get('words', now), (segment) => {
        // Somebody else has taken this segment up meanwhile.
        if (number !== index.segment) return this.#takeUp(index)
        // The others have gone round the ring, or have begun anew when everything had expired.
        const isBehind =
          (segment === undefined && index.passages > 0) || (segment?.number ?? number) > number || (next?.number ?? number) > number + 1
        if (isBehind) return (index.loading ??= this.#load(index))
        if (segment?.number === number && segment.passages.length > index.passages) {
          for (const passage of segment.passages.slice(index.passages)) absorb(index, passage)
          index.passages = segment.passages.length
        }
        if (next?.number !== number + 1) return index
        index.segment += 1
        index.passages = 0
        return this.#takeUp(index)
      }),
    )
  }
}

function keysOf(name: string, segment: number): Index['keys'] {
  return { segment, now: segmentKey({ name }, segment), next: segmentKey({ name }, segment + 1) }
}

function segmentKey({ name }: Pick<Index, 'name'>, number: number): string {
  return `${name}#${number % segments}`
}

function absorb(index: Index, { label, prints }: { readonly label: LabelRecord; readonly prints: string }): void {
  index.version += 1
  for (const print of decode(prints)) {
    const known = index.prints.get(print)
    const before = known === undefined ? nothing : (index.labels[known] ?? nothing)
    if (known === undefined || !before.some((one) => sameRecord(one, label))) index.prints.set(print, numberOf(index, [...before, label]))
  }
}

function numberOf(index: Index, labels: readonly LabelRecord[]): number {
  const key = labels
    .map((label) => JSON.stringify(label))
    .sort()
    .join('\n')
  const known = index.labelNumbers.get(key)
  if (known !== undefined) return known
  index.labels.push(labels)
  index.labelNumbers.set(key, index.labels.length - 1)
  return index.labels.length - 1
}

function carries(index: Index, print: number, label: LabelRecord): boolean {
  const known = index.prints.get(print)
  return known !== undefined && (index.labels[known] ?? nothing).some((one) => sameRecord(one, label))
}

function sameRecord(one: LabelRecord, other: LabelRecord): boolean {
  return one.trust === other.trust && JSON.stringify(one.audience) === JSON.stringify(other.audience)
}

function search(index: Index, text: string): readonly LabelRecord[] {
  const found = new Set<number>()
  for (const print of shinglesOf(text, index.key)) {
    const label = index.prints.get(print)
    if (label !== undefined) found.add(label)
  }
  return [...found].flatMap((number) => index.labels[number] ?? nothing)
}

function searchAgain(index: Index, text: string): readonly LabelRecord[] {
  const known = index.remembered.get(text)
  if (known?.version === index.version) return known.found
  const found = search(index, text)
  index.remembered.set(text, { version: index.version, found })
  return found
}

/** Winnowing (Schleimer, Wilkerson, Aiken 2003): the smallest of every few neighbours, so that equal passages keep equal numbers. */
function sampled(prints: readonly number[]): readonly number[] {
  if (prints.length <= longText) return [...new Set(prints)]
  const kept = new Set<number>()
  for (let start = 0; start + sampling <= prints.length; start += 1) {
    let smallest = Infinity
    for (let at = start; at < start + sampling; at += 1) smallest = Math.min(smallest, prints[at] as number)
    kept.add(smallest)
  }
  return [...kept]
}

function encode(prints: readonly number[]): string {
  const bytes = Buffer.allocUnsafe(prints.length * bytesPerPrint)
  prints.forEach((print, at) => bytes.writeUIntBE(print, at * bytesPerPrint, bytesPerPrint))
  return bytes.toString('base64')
}

function decode(text: string): number[] {
  const bytes = Buffer.from(text, 'base64')
  return Array.from({ length: Math.floor(bytes.length / bytesPerPrint) }, (_, at) => bytes.readUIntBE(at * bytesPerPrint, bytesPerPrint))
}

function sizeOf(passages: readonly { readonly prints: string }[]): number {
  return passages.reduce((size, { prints }) => size + prints.length, 0)
}
