/**
 * The configuration of a worker: made from what the owner has read, and swapped when the owner says so. In two steps, so that
 * either all workers run on a new revision or none does.
 */
import { attemptLoad, type Environment } from '../../config/load.ts'
import { diskOf, type DiskReading } from '../../config/disk.ts'
import { consoleOrigin } from '../../config/managed/managed-objects.ts'
import { managedSource } from '../../config/managed/managed-source.ts'
import { withKept, type CurrentConfig, type KeptSettings, type SwapListener } from '../../config/running-config.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { asTurnwardError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'

/** What a worker is told of the configuration. */
export interface GivenConfig {
  readonly path: string
  readonly reading: DiskReading
  /** What stays as it was when the first worker started. */
  readonly kept: KeptSettings
  readonly problem: string | null
}

export class FollowedConfig implements CurrentConfig {
  readonly #given: GivenConfig
  readonly #env: Environment
  readonly #logger: Logger
  readonly #listeners = new Set<SwapListener>()
  readonly #askOwner: () => Promise<boolean>
  #current: Snapshot
  #prepared: Snapshot | undefined
  problem: string | undefined

  private constructor(given: GivenConfig, env: Environment, logger: Logger, askOwner: () => Promise<boolean>, first: Snapshot) {
    this.#askOwner = askOwner
    this.#given = given
    this.#env = env
    this.#logger = logger
    this.#current = first
    this.problem = given.problem ?? undefined
  }

  /** Rejects with ConfigError when what the owner has read is no configuration here. `askOwner`: to read everything again. */
  static async open(given: GivenConfig, env: Environment, logger: Logger, askOwner: () => Promise<boolean>): Promise<FollowedConfig> {
    return new FollowedConfig(given, env, logger, askOwner, await load(given, given.reading, env))
  }

  get current(): Snapshot {
    return this.#current
  }

  onSwap(listener: SwapListener): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /** The owner tells every worker, this one too, before it answers. */
  reload(): Promise<boolean> {
    return this.#askOwner()
  }

  /** The first step: makes the snapshot, and resolves with its revision. Rejects with what is wrong; nothing changes. */
  async prepare(reading: DiskReading): Promise<string> {
    this.#prepared = undefined
    this.#prepared = await load(this.#given, reading, this.#env)
    return this.#prepared.revision
  }

  /** The second step; false when this revision was not prepared. */
  commit(revision: string): boolean {
    const next = this.#prepared
    this.#prepared = undefined
    if (next?.revision !== revision) return this.#current.revision === revision
    const previous = this.#current
    this.#current = next
    for (const listener of this.#listeners) {
      try {
        listener(next, previous)
      } catch (error) {
        this.#logger.error({ error: asTurnwardError(error).message }, 'a listener failed to take the new configuration')
      }
    }
    return true
  }

  close(): void {
    this.#listeners.clear()
  }
}

async function load({ path, kept }: GivenConfig, reading: DiskReading, env: Environment): Promise<Snapshot> {
  const others = reading.texts[consoleOrigin] === undefined ? [] : [managedSource]
  const { outcome } = await attemptLoad(path, env, others, diskOf(reading))
  if (outcome instanceof Error) throw outcome
  return withKept(outcome, kept)
}
