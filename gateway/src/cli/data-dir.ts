/** Where a configuration keeps its data. Reads the file only; a running gateway is not needed and not disturbed. */
import { resolve } from 'node:path'
import { readOpeningSettings } from '../config/opening-settings.ts'

export interface DataDirOptions {
  readonly config: string
  /** A data folder named directly, such as a copy of a log. */
  readonly dataDir?: string | undefined
}

/** Absolute data folder: the one named, else that of the configuration file. Throws ConfigError. */
export async function dataDirOf(options: DataDirOptions): Promise<string> {
  return options.dataDir === undefined ? (await readOpeningSettings(options.config, process.env)).dataDir : resolve(options.dataDir)
}
