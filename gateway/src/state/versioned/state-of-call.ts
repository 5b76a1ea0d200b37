/**
 * The state as one call sees it. A change is made here on what is known, and written where the version is still the one it
 * was made on; else it is made again on what is there. A change whose result decides something is written before anybody
 * acts on the result, with everything that waits; what may wait is written when the call settles.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { TurnwardError } from '../../core/error.ts'
import type { Clock } from '../../core/clock.ts'
import { whenRead, type CallState, type Changed, type MaybePromise, type StateNamespace } from '../state-store.ts'
import type { StateValues } from '../state-values.ts'
import type { Copies, Copy } from './copies.ts'
import { Entry, type Change } from './entry.ts'
import type { Epoch, PlaceKey, VersionedChange, VersionedPlace, VersionedValue } from './versioned-place.ts'

export interface StateOfCallOptions {
  readonly place: VersionedPlace
  readonly slot: string
  readonly copies: Copies
  /** A version nobody has ever given. */
  readonly newVersion: () => string
  /** Runs steps of this slot one after the other. */
  readonly inLine: <R>(step: () => Promise<R>) => Promise<R>
}

/** How often a step is made again on what others have written, before the call gives up, and how long it waits at most in between. */
const mostAttempts = 200
const mostPauseMs = 20
/** How often a whole attempt is made again on guesses; after that it asks for everything. */
const mostGuesses = 4

/** What a call asks for that is most often not there: an attempt takes it to be absent until it is checked. */
const mostlyAbsent: ReadonlySet<StateNamespace> = new Set(['request', 'answer', 'label', 'splice', 'note', 'context', 'task'])

/** How much less than it should a value may live without being written again, as a part of its life. */
const mostLifeLost = 1 / 8

const nothing: Copy = { version: '', value: undefined }

export class StateOfCall implements CallState {
  readonly #place: VersionedPlace
  readonly #slot: string
  readonly #copies: Copies
  readonly #newVersion: () => string
  readonly #inLine: StateOfCallOptions['inLine']
  #entries = new Map<string, Entry>()
  readonly #expected = new Map<string, { readonly namespace: StateNamespace; readonly key: string }>()
  #isGuessing = false
  #loading: Map<string, { readonly namespace: StateNamespace; readonly key: string }> | undefined
  #loaded: Promise<void> | undefined
  /** What the call goes by. Of another one nothing it knows would be true. */
  #epoch: Epoch | undefined
  /** Whether anything the call knows was there when it looked, and not only a guess. */
  #hasLooked = false
  /** Steps that go there follow each other. */
  #last: Promise<unknown> = Promise.resolve()

  constructor({ place, slot, copies, newVersion, inLine }: StateOfCallOptions) {
    this.#place = place
    this.#slot = slot
    this.#copies = copies
    this.#newVersion = newVersion
    this.#inLine = inLine
  }

  get clock(): Clock {
    return this.#place.clock
  }

  lostAt(): MaybePromise<number | undefined> {
    return this.#epoch === undefined
      ? whenRead(this.#place.epochOf(this.#slot), (epoch) => (this.#epoch ??= epoch).lostAt)
      : this.#epoch.lostAt
  }

  get<N extends StateNamespace>(namespace: N, key: string): MaybePromise<StateValues[N] | undefined> {
    return whenRead(this.#entry(namespace, key), ({ value }) => value as StateValues[N] | undefined)
  }

  put<N extends StateNamespace>(namespace: N, key: string, value: StateValues[N], expiresAt: number): MaybePromise<void> {
    return this.change(namespace, key, () => ({ value, expires: expiresAt, result: undefined, mayWait: true }))
  }

  change<N extends StateNamespace, R>(
    namespace: N,
    key: string,
    change: (value: StateValues[N] | undefined) => Changed<StateValues[N], R>,
  ): MaybePromise<R> {
    const guess = this.#isGuessing ? undefined : this.#guess(namespace, key)
    // Nobody asks what it comes to: it is made on a guess, and made again when it is written on something else.
    if (guess !== undefined && (change as Change)(guess.value).mayWait === true) return this.#add(guess).apply(change as Change).result as R
    return whenRead(this.#entry(namespace, key), (entry) => this.#change(entry, change as Change) as MaybePromise<R>)
  }

  /** A value nobody in this call has asked for, as it most likely is. */
  #guess(namespace: StateNamespace, key: string): Entry | undefined {
    const name = nameOf(this.#slot, namespace, key)
    if (this.#entries.has(name)) return undefined
    return new Entry(namespace, key, name, this.#copies.get(name) ?? nothing, false)
  }

  #change(entry: Entry, change: Change): MaybePromise<unknown> {
    const next = change(entry.value)
    const isSame = next.value === entry.value
    if (this.#isGuessing || next.mayWait === true || (isSame && entry.isVerified)) return entry.apply(change).result
    return this.#inTurn(() => this.#decide(entry, change))
  }

  async attempt<R>(run: () => Promise<R>): Promise<R> {
    const isFirst = !this.#hasLooked
    for (let guesses = 0; guesses < mostGuesses; guesses += 1) {
      this.#isGuessing = true
      const [result] = await Promise.allSettled([run()])
      this.#isGuessing = false
      const hasFailed = result.status === 'rejected'
      // What failed leaves nothing; whether it failed on what is really there is asked all the same.
      if (hasFailed) for (const entry of this.#entries.values()) entry.reset()
      try {
        if (await this.#inTurn(() => this.#write([...this.#entries.values()]))) {
          if (hasFailed) throw result.reason
          return result.value
        }
      } catch (error) {
        // Emptied before the call began: nothing but guesses was made on it.
        if (!(isFirst && error instanceof EpochOver)) throw error
        this.#epoch = error.epoch
      }
      for (const entry of this.#entries.values()) entry.reset()
    }
    this.#entries = new Map()
    return run()
  }

  expect<N extends StateNamespace>(namespace: N, key: string): void {
    const name = nameOf(this.#slot, namespace, key)
    if (!this.#entries.has(name)) this.#expected.set(name, { namespace, key })
  }

  doubt(): void {
    for (const entry of this.#entries.values()) if (entry.namespace === 'session') entry.isVerified = false
  }

  settle(): MaybePromise<void> {
    for (const entry of this.#entries.values()) if (entry.isChanged) return this.#inTurn(() => this.#settle())
    return undefined
  }

  flush(): Promise<void> {
    return Promise.resolve(this.settle())
  }

  /** The place belongs to all calls. */
  close(): Promise<void> {
    return this.flush()
  }

  listen(topic: string, listener: () => void): () => void {
    return this.#place.listen(topic, listener)
  }

  #entry(namespace: StateNamespace, key: string): MaybePromise<Entry> {
    const name = nameOf(this.#slot, namespace, key)
    const known = this.#entries.get(name)
    if (known !== undefined && (!known.isGuess || this.#isGuessing)) return known
    if (this.#isGuessing) {
      const guess = this.#guess(namespace, key)
      if (guess !== undefined && (guess.base !== nothing || mostlyAbsent.has(namespace))) return this.#add(guess)
    }
    return this.#load(namespace, key, name)
  }

  #add(entry: Entry): Entry {
    this.#entries.set(entry.name, entry)
    this.#expected.delete(entry.name)
    return entry
  }

  /** Reads a value together with all others that are asked for at this moment. */
  async #load(namespace: StateNamespace, key: string, name: string): Promise<Entry> {
    const loading = (this.#loading ??= new Map())
    loading.set(name, { namespace, key })
    this.#loaded ??= Promise.resolve().then(() => this.#read())
    await this.#loaded
    return (this.#entries.get(name) as Entry | undefined) ?? this.#load(namespace, key, name)
  }

  async #read(): Promise<void> {
    const loading = new Map([...(this.#loading ?? []), ...this.#expected])
    this.#loading = undefined
    this.#loaded = undefined
    this.#takeRead([...loading.values()], await this.#look([...loading.values()]))
  }

  async #look(keys: readonly PlaceKey[]): Promise<readonly VersionedValue[]> {
    const { values, epoch } = await this.#place.read(this.#slot, keys)
    if (this.#epoch !== undefined && this.#epoch.id !== epoch.id) throw new EpochOver(epoch)
    this.#epoch = epoch
    this.#hasLooked = true
    return values
  }

  #takeRead(keys: readonly { readonly namespace: StateNamespace; readonly key: string }[], values: readonly VersionedValue[]): void {
    for (const [at, { namespace, key }] of keys.entries()) {
      const name = nameOf(this.#slot, namespace, key)
      this.#expected.delete(name)
      const known = this.#entries.get(name)
      if (known?.isGuess === true) this.#see(known, values[at] as VersionedValue)
      // Read and written by the call meanwhile, it knows better.
      if (known !== undefined) continue
      this.#add(new Entry(namespace, key, name, this.#copies.take(name, values[at] as VersionedValue), true))
    }
  }

  #inTurn<R>(step: () => Promise<R>): Promise<R> {
    const run = this.#last.then(step, step)
    this.#last = run.catch(() => {})
    return run
  }

  /** Makes a change whose result counts: on what is there, and seen there when it is acted on. */
  async #decide(entry: Entry, change: Change): Promise<unknown> {
    const done = await this.#untilDone(entry.namespace, async () => {
      const before = entry.value
      const next = entry.apply(change)
      if (next.value === before && entry.isVerified) return next
      try {
        if (await this.#write([entry])) return next
      } catch (error) {
        entry.withdraw(change)
        throw error
      }
      entry.withdraw(change)
      return undefined
    })
    return done.result
  }

  async #settle(): Promise<void> {
    await this.#untilDone(undefined, async () => ((await this.#write([])) ? true : undefined))
  }

  /** Tries once; when others came between, the calls of this process go on one after the other, so that only other processes are in the way. */
  async #untilDone<R>(subject: string | undefined, step: () => Promise<R | undefined>): Promise<R> {
    const first = await step()
    if (first !== undefined) return first
    return this.#inLine(async () => {
      for (let attempt = 1; attempt < mostAttempts; attempt += 1) {
        const done = await step()
        if (done !== undefined) return done
        await pause(attempt)
      }
      throw new TurnwardError('state.busy', { subject })
    })
  }

  /** Writes what waits if everything is as it was seen, `checked` included. Otherwise takes up what is there. */
  async #write(checked: readonly Entry[]): Promise<boolean> {
    for (const entry of this.#entries.values())
      if (entry.isGuess && !checked.includes(entry)) entry.guessed(this.#copies.get(entry.name) ?? nothing)
    const now = this.clock.now()
    const changed: Entry[] = []
    const checks: Entry[] = checked.filter((entry) => !entry.isChanged && !entry.isVerified)
    for (const entry of this.#entries.values()) if (entry.isChanged) (saysWhatIsThere(entry, now) ? checks : changed).push(entry)
    const reads = [...this.#expected.values()]
    if (changed.length === 0) return this.#check(checks, reads)
    const version = this.#newVersion()
    const values = changed.map(({ value }) => value)
    const marks = changed.map(({ mark }) => mark)
    const checkMarks = checks.map(({ mark }) => mark)
    const changes = changed.map((entry, at): VersionedChange => {
      const livesMs = entry.expires - now
      const text = values[at] === undefined || livesMs <= 0 ? undefined : JSON.stringify(values[at])
      return { namespace: entry.namespace, key: entry.key, expected: entry.base.version, text, livesMs }
    })
    this.#epoch ??= await this.#place.epochOf(this.#slot)
    const result = await this.#place.write(this.#slot, {
      version,
      epoch: this.#epoch.id,
      changes,
      checks: checks.map(({ namespace, key, base }) => ({ namespace, key, expected: base.version })),
      reads,
      announce: [...new Set(changed.flatMap(({ announce }) => [...announce]))],
    })
    if (result.kind === 'unknown')
      throw new TurnwardError('state.unavailable', { why: 'the connection was lost, and whether a change was made cannot be told' })
    if (result.kind === 'lost') throw new EpochOver(result.epoch)
    this.#hasLooked = true
    this.#takeRead(reads, result.reads)
    if (result.kind === 'conflict') {
      for (const [at, entry] of [...changed, ...checks].entries()) this.#see(entry, result.present[at] as VersionedValue)
      return false
    }
    for (const [at, entry] of changed.entries()) {
      const { text, livesMs } = changes[at] as VersionedChange
      const copy: Copy = { version, value: text === undefined ? undefined : values[at], expires: now + livesMs }
      this.#copies.keep(entry.name, copy, text?.length ?? 0)
      entry.written(copy, marks[at] ?? 0)
    }
    for (const [at, entry] of checks.entries()) entry.written(entry.base, checkMarks[at] ?? 0)
    return true
  }

  async #check(checks: readonly Entry[], reads: readonly { readonly namespace: StateNamespace; readonly key: string }[]): Promise<boolean> {
    if (checks.length === 0) return true
    const marks = checks.map(({ mark }) => mark)
    const values = await this.#look([...checks, ...reads])
    this.#takeRead(reads, values.slice(checks.length))
    const isSame = checks.every(({ base }, at) => base.version === values[at]?.version)
    for (const [at, entry] of checks.entries()) {
      if (isSame) entry.written(entry.base, marks[at] ?? 0)
      else this.#see(entry, values[at] as VersionedValue)
    }
    return isSame
  }

  #see(entry: Entry, value: VersionedValue): void {
    entry.seen(this.#copies.take(entry.name, value))
  }
}

/** The place was emptied: what the call has seen is gone, and what it has not seen may have been there. */
class EpochOver extends TurnwardError {
  readonly epoch: Epoch

  constructor(epoch: Epoch) {
    super('state.unavailable', { why: 'it was emptied while the call was under way', retryAfterSeconds: 1 })
    this.epoch = epoch
  }
}

/** Whether a change comes to what is there already, and will be for nearly as long: then it is enough that it still is. */
function saysWhatIsThere({ namespace, base, value, expires, announce }: Entry, now: number): boolean {
  if (!mostlyAbsent.has(namespace) || base.value === undefined || value === undefined || announce.size > 0) return false
  if (base.expires === undefined || expires - base.expires > (expires - now) * mostLifeLost) return false
  return JSON.stringify(base.value) === JSON.stringify(value)
}

function nameOf(slot: string, namespace: string, key: string): string {
  return `${slot}|${namespace}|${key}`
}

async function pause(attempt: number): Promise<void> {
  if (attempt >= 2) await sleep(Math.random() * Math.min(mostPauseMs, attempt))
}
