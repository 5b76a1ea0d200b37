/**
 * The running configuration: holds the current snapshot, follows its files and swaps in a new snapshot whole.
 * A bad edit never takes effect and never stops the gateway; it is kept as `problem` until it is mended.
 */
import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { asTurnwardError } from '../core/error.ts'
import type { Logger } from '../core/logger.ts'
import { realDisk, recordedDisk, type DiskReading } from './disk.ts'
import { InputWatcher } from './input-watcher.ts'
import { attemptLoad, type Environment, type LoadAttempt } from './load.ts'
import { leavingOut } from './managed/leaving-out.ts'
import type { ManagedRevisions } from './managed/managed-revisions.ts'
import { managedText } from './managed/managed-objects.ts'
import { diskWith, managedSource } from './managed/managed-source.ts'
import { ConfigError } from './problems.ts'
import type { Snapshot } from './snapshot.ts'

export type SwapListener = (next: Snapshot, previous: Snapshot) => void

/** The configuration as those who run on it see it. */
export interface CurrentConfig {
  /** The snapshot new requests run on. */
  readonly current: Snapshot
  /** What is wrong with the files now, formatted, while an older revision runs; undefined when all is well. */
  readonly problem: string | undefined
  /** Calls the listener after each swap. Returns the way to stop. */
  onSwap(listener: SwapListener): () => void
  /** Reads everything again. Resolves with true when what runs now is what was read. */
  reload(reason: string): Promise<boolean>
  close(): void
}

/**
 * Asks everybody who must swap together whether they can take what was read. Resolves with why not; then nobody swaps.
 * Who said yes swaps when this process does.
 */
export type Agree = (next: Snapshot, reading: DiskReading) => Promise<string | undefined>

export interface RunningConfigOptions {
  /** Objects that were made over the administration API. */
  readonly managed?: ManagedRevisions
  /** Is asked before each swap, where others swap as well. */
  readonly agree?: Agree
}

/** How often one reload starts over because new folders turned up while it ran. */
const maxRounds = 8

export class RunningConfig implements CurrentConfig {
  readonly #path: string
  readonly #env: Environment
  readonly #managed: ManagedRevisions | undefined
  readonly #logger: Logger
  readonly #watcher: InputWatcher
  readonly #listeners = new Set<SwapListener>()
  #current: Snapshot
  #problem: string | undefined
  #queue: Promise<unknown> = Promise.resolve()
  #closed = false
  readonly #agree: Agree | undefined
  #reading: DiskReading | undefined

  private constructor(
    path: string,
    env: Environment,
    logger: Logger,
    { managed, agree }: RunningConfigOptions,
    first: Snapshot,
    watcher: InputWatcher,
    reading: DiskReading | undefined,
  ) {
    this.#path = path
    this.#env = env
    this.#managed = managed
    this.#logger = logger
    this.#current = first
    this.#watcher = watcher
    this.#agree = agree
    this.#reading = reading
    watcher.listen(() => {
      this.reload('file change').catch((error: unknown) => logger.error({ error }, 'the configuration could not be reloaded'))
    })
  }

  /**
   * Loads the file and the objects that were made beside it, and begins to follow the file. Objects that do not go with the file are left
   * out, and said to be: what somebody made over the API keeps no gateway from starting. Throws ConfigError when the file is wrong by itself.
   */
  static async open(path: string, env: Environment, logger: Logger, options: RunningConfigOptions = {}): Promise<RunningConfig> {
    const main = resolve(path)
    const watcher = new InputWatcher((folder) =>
      logger.warn({ folder }, 'this folder cannot be watched; edits in it need a reload (SIGHUP)'),
    )
    try {
      const load = (text: string | undefined): Promise<Loaded> => loadWatched(main, env, watcher, text, options.agree !== undefined)
      const newest = await options.managed?.newest()
      const { outcome: first, reading } = newest === undefined ? await load(undefined) : await leavingOut(newest, load, logger)
      if (first instanceof ConfigError) throw first
      return new RunningConfig(main, env, logger, options, first, watcher, reading)
    } catch (error) {
      watcher.close()
      throw error
    }
  }

  /** The snapshot new requests run on. */
  get current(): Snapshot {
    return this.#current
  }

  /** What the files held from which the current snapshot was made; undefined where nobody else needs to know. */
  get reading(): DiskReading | undefined {
    return this.#reading
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
    const { outcome: loaded, reading } = await this.#load().catch((error: unknown) => ({
      outcome: asTurnwardError(error),
      reading: undefined,
    }))
    if (this.#closed) return false
    const previous = this.#current
    if (loaded instanceof Error) return this.#refused(reason, loaded instanceof ConfigError ? loaded.text : loaded.message)
    if (this.#agree !== undefined && reading !== undefined && !isSame(loaded, previous)) {
      const why = await this.#agree(loaded, reading)
      if (this.#closed) return false
      if (why !== undefined) return this.#refused(reason, why)
    }
    this.#reading = reading
    if (this.#problem !== undefined) this.#logger.info({ reason, revision: loaded.revision }, 'the configuration is valid again')
    this.#problem = undefined
    const next = this.#withRunningSettings(loaded, previous)
    if (isSame(loaded, previous)) return true
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

  async #load(): Promise<Loaded> {
    const newest = await this.#managed?.newest()
    const text = newest && managedText({ ...newest, leftOut: [] })
    return loadWatched(this.#path, this.#env, this.#watcher, text, this.#agree !== undefined)
  }

  /** The running revision stays, and what is wrong is said once. */
  #refused(reason: string, problem: string): false {
    if (problem !== this.#problem)
      this.#logger.error(
        { reason, revision: this.#current.revision, problem },
        'the configuration is not valid; the running revision stays',
      )
    this.#problem = problem
    return false
  }

  /** Sockets and stores that are open stay as they are: the new values wait for a restart. */
  #withRunningSettings(next: Snapshot, running: Snapshot): Snapshot {
    const kept = withKept(next, keptOf(running)).settings
    const waiting = keptParts.filter((part) => !isDeepStrictEqual(next.settings[part], kept[part]))
    const parts = next.dataDir === running.dataDir ? waiting : [...waiting, 'data_dir']
    if (parts.length === 0) return next
    this.#logger.warn({ settings: parts, revision: next.revision }, 'these settings changed and take effect at the next start')
    return withKept(next, keptOf(running))
  }
}

const keptParts = ['listen', 'store', 'state', 'cluster', 'workers'] as const

/** What stays as it was at the start, whatever the files say later. Plain JSON. */
export interface KeptSettings {
  readonly dataDir: string
  readonly settings: Pick<Snapshot['settings'], (typeof keptParts)[number]>
}

export function keptOf({ dataDir, settings }: Pick<Snapshot, 'dataDir' | 'settings'>): KeptSettings {
  const { listen, store, state, cluster, workers } = settings
  return { dataDir, settings: { listen, store, state, cluster, workers } }
}

export function withKept(next: Snapshot, { dataDir, settings }: KeptSettings): Snapshot {
  const listen = keptListener(settings.listen, next.settings.listen)
  return Object.freeze({ ...next, dataDir, settings: Object.freeze({ ...next.settings, ...settings, listen }) })
}

type Listen = Snapshot['settings']['listen']

/** A listener stays as it was opened; what it proves itself with, and whom it believes, changes under it. */
function keptListener(kept: Listen, next: Listen): Listen {
  if (kept.tls === undefined || next.tls === undefined) return kept
  return Object.freeze({ ...kept, tls: Object.freeze({ ...next.tls, client_certificates: kept.tls.client_certificates }) })
}

/** The certificate of the listener is not part of the revision: that of each replica is its own. */
function isSame(loaded: Snapshot, running: Snapshot): boolean {
  return (
    loaded.revision === running.revision &&
    loaded.shadow?.revision === running.shadow?.revision &&
    isDeepStrictEqual(loaded.managed, running.managed) &&
    isDeepStrictEqual(loaded.files, running.files) &&
    isDeepStrictEqual(loaded.settings.listen.tls, running.settings.listen.tls)
  )
}

interface Loaded {
  readonly outcome: LoadAttempt['outcome']
  readonly reading: DiskReading | undefined
}

/**
 * Loads with the watcher armed before the files are read, so that no edit falls between reading and watching.
 * Folders that turn up while reading are armed and everything is read once more. `managed`: text of objects beside the file.
 */
async function loadWatched(
  main: string,
  env: Environment,
  watcher: InputWatcher,
  managed: string | undefined,
  isRecorded: boolean,
): Promise<Loaded> {
  await watcher.follow(new Set([main]))
  const disk = managed === undefined ? realDisk : diskWith(realDisk, managed)
  for (let round = 1; ; round++) {
    const recorded = isRecorded ? recordedDisk(disk) : undefined
    const { outcome, inputs } = await attemptLoad(main, env, managed === undefined ? [] : [managedSource], recorded?.disk ?? disk)
    const grew = await watcher.follow(new Set([main, ...inputs]))
    if (!grew || round >= maxRounds) return { outcome, reading: recorded?.reading }
  }
}
