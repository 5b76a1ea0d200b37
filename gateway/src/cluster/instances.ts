/**
 * Who takes part in an installation: every process announces itself in the shared state, and is gone when it stops doing
 * so. Nothing is decided by it; it says where to ask, and what to show.
 */
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { asTurnwardError } from '../core/error.ts'
import type { StateStore } from '../state/state-store.ts'
import type { InstanceRecord } from '../state/state-values.ts'

export interface InstancesOptions {
  readonly state: StateStore
  readonly clock: Clock
  readonly logger: Logger
  /** What holds of this process now. */
  readonly describe: () => Omit<InstanceRecord, 'at'>
}

/** How often a process says that it lives, and after which silence it counts as gone (by the clock of the state). */
const announceMs = 5000
const silenceMs = 16_000
/** Where the names of all of them are; whoever has not been heard of is left out when it is read. */
const directoryKey = 'all'
const directoryMs = 24 * 3_600_000
const mostInstances = 1000
const knownMs = 1000

export class Instances {
  readonly #options: InstancesOptions
  readonly #known = new Map<string, { readonly record: InstanceRecord | undefined; readonly until: number }>()
  #timer: NodeJS.Timeout | undefined
  #others: readonly InstanceRecord[] = []
  #closed = false

  constructor(options: InstancesOptions) {
    this.#options = options
  }

  /** Joins, and goes on announcing. Resolves when the first announcement was tried. */
  async join(): Promise<void> {
    await this.#round()
    this.#timer = setInterval(() => {
      this.#round().catch(() => {})
    }, announceMs)
    this.#timer.unref()
  }

  /** All that live, as of the last announcement; this process first. */
  get present(): readonly InstanceRecord[] {
    return [this.#own(), ...this.#others]
  }

  /** Those that have joined since the last announcement; they are among the present from now on. Rejects where the state cannot be read. */
  async newcomers(): Promise<readonly InstanceRecord[]> {
    const { state } = this.#options
    const names = (await state.get('directory', directoryKey)) ?? []
    const unknown = names.filter((name) => !this.present.some(({ instance }) => instance === name))
    const found = await Promise.all(unknown.map(async (name) => state.get('instance', name)))
    const present = new Set(this.present.map(({ instance }) => instance))
    const joined = found.filter((record): record is InstanceRecord => record !== undefined && !present.has(record.instance))
    this.#others = [...this.#others, ...joined].sort(inOrder)
    return joined
  }

  /** The address of a process; undefined when it is gone. Answers may be a second old. */
  async addressOf(instance: string): Promise<string | undefined> {
    const now = this.#options.clock.monotonic()
    const known = this.#known.get(instance)
    if (known !== undefined && known.until > now) return known.record?.address
    const record = await this.#options.state.get('instance', instance)
    this.#known.set(instance, { record, until: now + knownMs })
    if (this.#known.size > mostInstances) this.#known.delete(this.#known.keys().next().value ?? '')
    return record?.address
  }

  /** Leaves: others need not wait for the silence. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#timer)
    const { state } = this.#options
    const { instance } = this.#own()
    await state.change('instance', instance, () => ({ value: undefined, expires: 0, result: undefined }))
    await state.change('directory', directoryKey, (names = []) => ({
      value: names.filter((name) => name !== instance),
      expires: this.#options.clock.now() + directoryMs,
      result: undefined,
    }))
  }

  #own(): InstanceRecord {
    return { ...this.#options.describe(), at: this.#options.clock.now() }
  }

  async #round(): Promise<void> {
    const { state, clock, logger } = this.#options
    if (this.#closed) return
    try {
      const own = this.#own()
      await state.put('instance', own.instance, own, clock.now() + silenceMs)
      const living = await readInstances(state, clock, own.instance)
      this.#others = living.filter(({ instance }) => instance !== own.instance)
    } catch (error) {
      // The state says itself that it cannot be reached; calls are refused by then.
      logger.debug({ code: asTurnwardError(error).code }, 'this replica could not announce itself')
    }
  }
}

/** Everybody who lives, in order of names. `own`: who is added when it is missing. */
export async function readInstances(state: StateStore, clock: Clock, own?: string): Promise<readonly InstanceRecord[]> {
  const names = (await state.get('directory', directoryKey)) ?? []
  const all = own === undefined || names.includes(own) ? names : [...names, own]
  const living: InstanceRecord[] = []
  for (const name of all) {
    const record = await state.get('instance', name)
    if (record !== undefined) living.push(record)
  }
  const present = living.map(({ instance }) => instance)
  if (own !== undefined && present.join(' ') !== names.join(' '))
    await state.change('directory', directoryKey, (now = []) => {
      // Who joined meanwhile stays; who is gone leaves.
      const next = [...new Set([...now.filter((name) => !names.includes(name) || present.includes(name)), ...present])].slice(
        -mostInstances,
      )
      return { value: next, expires: clock.now() + directoryMs, result: undefined }
    })
  return living.sort(inOrder)
}

function inOrder(one: InstanceRecord, other: InstanceRecord): number {
  return one.replica < other.replica ? -1 : one.replica > other.replica ? 1 : one.worker - other.worker
}
