/**
 * The settings that are needed before anything else can be read: where the data lies and how it is kept. Other sources of
 * the configuration live in that store, so these come from the file alone and are judged alone.
 */
import { dirname, resolve } from 'node:path'
import { configSchema, type Config } from '@turnward/contract/config'
import { realDisk } from './disk.ts'
import type { Environment } from './load.ts'
import { checkPlaces } from './places.ts'
import { plainValue, spotOf } from './locate.ts'
import { ConfigError, ProblemList } from './problems.ts'
import { reportIssues } from './schema-problems.ts'
import { fileSource } from './sources.ts'

export interface OpeningSettings extends Pick<Config, 'store' | 'state' | 'cluster' | 'workers'> {
  /** Absolute. */
  readonly dataDir: string
}

const openingSchema = configSchema.pick({ data_dir: true, store: true, state: true, cluster: true, workers: true }).strip()

/** Reads them. What else is wrong in the file does not matter here. Throws ConfigError. */
export async function readOpeningSettings(path: string, env: Environment): Promise<OpeningSettings> {
  const main = resolve(path)
  const all = new ProblemList()
  const { root, files } = await fileSource(main).read({ env, problems: all, inputs: new Set(), texts: new Map(), disk: realDisk })
  if (root === undefined) throw new ConfigError(all.sorted(), dirname(main))
  const result = openingSchema.safeParse(plainValue(root))
  const problems = new ProblemList()
  if (!result.success)
    reportIssues(result.error.issues, root, plainValue(root), (at, message, options = {}) =>
      problems.add(spotOf(root, at, options.where ?? 'value'), at, message, options),
    )
  if (!result.success) throw new ConfigError(problems.sorted(), dirname(main))
  const { data_dir: folder, ...settings } = result.data
  checkPlaces(settings, (at, message, options = {}) => problems.add(spotOf(root, at, options.where ?? 'value'), at, message, options))
  if (problems.size > 0) throw new ConfigError(problems.sorted(), dirname(main))
  return { dataDir: resolve(dirname(files[0] ?? main), folder), ...settings }
}
