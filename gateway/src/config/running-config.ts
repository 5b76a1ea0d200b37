/**
 * The running configuration: holds the current snapshot, follows its files and swaps in a new snapshot whole.
 * A bad edit never takes effect and never stops the gateway; it is kept as `problem` until it is mended.
 */
import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { asTurnwardError } from '../core/error.ts'
import type { Logger } from '../core/logger.ts'
import { InputWatcher } from './input-watcher.ts'
import { attemptLoad, type Environment } from './load.ts'
import { ConfigError } from './problems.ts'
import type { Snapshot } from './snapshot.ts'
import type { ConfigSource } from './sources.ts'

export type SwapListener = (next: Snapshot, previous: Snapshot) => void

/** How often one reload starts over because new folders turned up while it ran. */
const maxRounds = 8

export class RunningConfig {
  readonly #path: string
  readonly #env: Environment
  readonly #others: readonly ConfigSource[]
  readonly #logger: Logger
  readonly #watcher: InputWatcher
  readonly #listeners = new Set<SwapListener>()
  #current: Snapshot
  #problem: string | undefined
  #queue: Promise<unknown> = Promise.resolve()
  #closed = false

  private constructor(
    path: string,
    env: Environment,
    logger: Logger,
    others: readonly ConfigSource[],
    first: Snapshot,
    watcher: InputWatcher,
  ) {
    this.#path = path
    this.#env = env
    this.#others = others
    this.#logger = logger
    this.#current = first
    this.#watcher = watcher
    watcher.listen(() => {
      this.reload('file change').catch((error: unknown) => logger.error({ error }, 'the configuration could not be reloaded'))
    })
  }

  /** Loads the file and what other sources add to it, and begins to follow the file. Throws ConfigError when the first load fails. */
  static async open(path: string, env: Environment, logger: Logger, others: readonly ConfigSource[] = []): Promise<RunningConfig> {
    const main = resolve(path)
    const watcher = new InputWatcher((folder) =>
      logger.warn({ folder }, 'this folder cannot be watched; edits in it need a reload (SIGHUP)'),
    )
    const first = await loadWatched(main, env, watcher, others)
    if (first instanceof ConfigError) {
      watcher.close()
      throw first
    }
    return new RunningConfig(main, env, logger, others, first, watcher)
  }

  /** The snapshot new requests run on. */
  get current(): Snapshot {
    return this.#current
  }

  /** What is wrong with the files now, formatted, while an older revision runs; undefined when all is well. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Calls the listener after each swap. Returns the way to stop. */
  onSwap(listener: SwapListener): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /**
   * Reads the files again, one reload at a time. True when what runs now is what the files say (restart-only
   * settings apart), false when they are wrong and the running revision stays.
   */
  reload(reason: string): Promise<boolean> {
    const done = this.#queue.then(() => this.#reload(reason))
    // A reload that failed must not fail those after it.
    this.#queue = done.catch(() => undefined)
    return done
  }

  /** Stops following the files. A reload in progress changes nothing any more. */
  close(): void {
    this.#closed = true
    this.#watcher.close()
    this.#listeners.clear()
  }

  async #reload(reason: string): Promise<boolean> {
    if (this.#closed) return false
    const loaded = await loadWatched(this.#path, this.#env, this.#watcher, this.#others).catch((error: unknown) => asTurnwardError(error))
    if (this.#closed) return false
    const previous = this.#current
    if (loaded instanceof Error) {
      const text = loaded instanceof ConfigError ? loaded.text : loaded.message
      if (text !== this.#problem)
        this.#logger.error(
          { reason, revision: previous.revision, problem: text },
          'the configuration is not valid; the running revision stays',
        )
      this.#problem = text
      return false
    }
    if (this.#problem !== undefined) this.#logger.info({ reason, revision: loaded.revision }, 'the configuration is valid again')
    this.#problem = undefined
    const next = this.#withRunningSettings(loaded, previous)
    if (loaded.revision === previous.revision && isDeepStrictEqual(loaded.files, previous.files)) return true
    this.#current = next
    this.#logger.info({ reason, revision: loaded.revision, previous: previous.revision }, 'configuration swapped')
    for (const listener of this.#listeners) {
      try {
        listener(this.#current, previous)
      } catch (error) {
        this.#logger.error({ reason, error: asTurnwardError(error).message }, 'a listener failed to take the new configuration')
      }
    }
    return true
  }

  /** Sockets and stores that are open stay as they are: the new values wait for a restart. */
  #withRunningSettings(next: Snapshot, running: Snapshot): Snapshot {
    const { listen, store, state, cluster, workers } = running.settings
    const kept = { listen, store, state, cluster, workers }
    const waiting = (['listen', 'store', 'state', 'cluster', 'workers'] as const).filter(
      (part) => !isDeepStrictEqual(next.settings[part], running.settings[part]),
    )
    const parts = next.dataDir === running.dataDir ? waiting : [...waiting, 'data_dir']
    if (parts.length === 0) return next
    this.#logger.warn({ settings: parts, revision: next.revision }, 'these settings changed and take effect at the next start')
    return Object.freeze({ ...next, dataDir: running.dataDir, settings: Object.freeze({ ...next.settings, ...kept }) })
  }
}

/**
 * Loads with the watcher armed before the files are read, so that no edit falls between reading and watching.
 * Folders that turn up while reading are armed and everything is read once more.
 */
async function loadWatched(
  main: string,
  env: Environment,
  watcher: InputWatcher,
  others: readonly ConfigSource[],
): Promise<Snapshot | ConfigError> {
  await watcher.follow(new Set([main]))
  for (let round = 1; ; round++) {
    const { outcome, inputs } = await attemptLoad(main, env, others)
    const grew = await watcher.follow(new Set([main, ...inputs]))
    if (!grew || round >= maxRounds) return outcome
  }
}
