/** Where a configuration keeps its data. Reads the file only; a running gateway is not needed and not disturbed. */
import { loadConfig } from '../config/load.ts'

/** Absolute data folder of a configuration file. Throws ConfigError. */
export async function dataDirOf(configPath: string): Promise<string> {
  return (await loadConfig(configPath, process.env)).dataDir
}
