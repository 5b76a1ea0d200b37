/**
 * The configuration of a gateway: its file, and the objects that were made over the administration API, which lie in the store. Where the
 * store is only the file says, so the settings that open it are read first.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { recordRevisions } from '../admin/configuration/recording-revisions.ts'
import { recordActs } from '../admin/recording-acts.ts'
import type { ApiConfig } from '../admin/routes/config.ts'
import type { DecisionLog } from '../audit/decision-log.ts'
import { realDisk } from '../config/disk.ts'
import { attemptLoad, loadConfig, type Environment } from '../config/load.ts'
import { parseManagedObjects } from '../config/managed/managed-objects.ts'
import type { ManagedRevisions } from '../config/managed/managed-revisions.ts'
import { diskWith, managedSource } from '../config/managed/managed-source.ts'
import { readOpeningSettings, type OpeningSettings } from '../config/opening-settings.ts'
import { ConfigError } from '../config/problems.ts'
import { RunningConfig, type Agree, type CurrentConfig } from '../config/running-config.ts'
import type { Clock } from '../core/clock.ts'
import { asTurnwardError } from '../core/error.ts'
import type { Logger } from '../core/logger.ts'
import { openStore, type Store } from '../store/store.ts'
import { eachSecond } from './each-second.ts'
import { storePlaceOf } from './places.ts'

export interface OpenedConfig {
  readonly config: RunningConfig
  readonly store: Store
}

export interface OpeningOptions {
  readonly configPath: string
  readonly env: Environment
  readonly logger: Logger
  /** Is asked before each swap, where others swap as well. */
  readonly agree?: Agree
}

/** Rejects with ConfigError when the file is wrong, or with `store.failed`. */
export async function openConfig({ configPath, env, logger, agree }: OpeningOptions): Promise<OpenedConfig> {
  const place = storePlaceOf(await openingSettings(configPath, env))
  // A file that is wrong makes no folder.
  if (place.kind === 'sqlite' && !existsSync(join(place.dataDir, 'turnward.db'))) await loadConfig(configPath, env)
  const store = await openStore(place)
  try {
    const managed = revisionsIn(store)
    return { config: await RunningConfig.open(configPath, env, logger, { managed, ...(agree === undefined ? {} : { agree }) }), store }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** What is wrong with the rest of the file is told with them. */
async function openingSettings(configPath: string, env: Environment): Promise<OpeningSettings> {
  try {
    return await readOpeningSettings(configPath, env)
  } catch (error) {
    if (error instanceof ConfigError) await loadConfig(configPath, env)
    throw error
  }
}

function revisionsIn({ configRevisions }: Pick<Store, 'configRevisions'>): ManagedRevisions {
  return {
    async newest() {
      const newest = await configRevisions.newest()
      return newest && { revision: newest.revision, objects: parseManagedObjects(newest.objects) }
    },
  }
}

/** The configuration, for who changes it over the API. */
export function changeableConfig({ configPath, env }: Pick<OpeningOptions, 'configPath' | 'env'>, config: CurrentConfig): ApiConfig {
  return {
    attempt: async (text) => (await attemptLoad(configPath, env, [managedSource], diskWith(realDisk, text))).outcome,
    reload: (reason) => config.reload(reason),
    get problem() {
      return config.problem
    },
  }
}

export interface FollowingOptions {
  readonly store: Pick<Store, 'configRevisions' | 'acts'>
  readonly log: Pick<DecisionLog, 'appendDurably'>
  readonly config: RunningConfig | CurrentConfig
  readonly clock: Clock
  readonly logger: Logger
}

/** A revision that does not go with the file here is tried again after this time: what kept it may have been something else. */
const tryAgainMs = 30_000

/** Takes what other processes have made, within a second, and puts on record what is not yet, also of the command line. Goes on until it is closed. */
export function followRevisions({ store, log, config, clock, logger }: FollowingOptions): { close(): Promise<void> } {
  const { configRevisions: table, acts } = store
  let tried = { revision: config.current.managed.revision, at: clock.monotonic() }
  let hasFailed = false
  const look = async (): Promise<void> => {
    const newest = await table.newestNumber()
    const isRunning = newest === config.current.managed.revision
    if (!isRunning && (newest !== tried.revision || clock.monotonic() - tried.at >= tryAgainMs)) {
      tried = { revision: newest, at: clock.monotonic() }
      await config.reload(`revision ${newest}`)
    }
    const now = { time: clock.now(), revision: config.current.revision }
    await recordRevisions(table, log, now)
    await recordActs(acts, log, now)
    hasFailed = false
  }
  return eachSecond(look, (error) => {
    if (!hasFailed)
      logger.warn({ code: asTurnwardError(error).code }, 'changes by other processes cannot be looked for, or not be put on record')
    hasFailed = true
  })
}
