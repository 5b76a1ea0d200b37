/** Options that several verbs share, with one wording. */
import { Option } from 'commander'
import { TurnwardError } from '../core/error.ts'
import type { LogLevel } from '../telemetry/logger.ts'

export function configOption(): Option {
  return new Option('-c, --config <file>', 'configuration file').env('TURNWARD_CONFIG').default('turnward.yaml')
}

export function dataDirOption(): Option {
  return new Option('--data-dir <folder>', 'data folder to read instead of the one the configuration names')
}

export function jsonOption(): Option {
  return new Option('--json', 'print JSON')
}

export function urlOption(): Option {
  return new Option('--url <url>', 'address of the gateway').default(process.env.TURNWARD_URL ?? 'http://127.0.0.1:4100')
}

export function administratorKeyOption(): Option {
  return new Option('--key <key>', 'virtual key of scope `admin`; better in the variable TURNWARD_KEY, which no process list shows')
}

const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent']

/** The log level a text names; undefined stays undefined. Throws `request.invalid`. */
export function logLevelOf(text: string | undefined): LogLevel | undefined {
  if (text === undefined) return undefined
  const level = logLevels.find((candidate) => candidate === text)
  if (level === undefined) throw new TurnwardError('request.invalid', { subject: 'log level', why: `use one of ${logLevels.join(', ')}` })
  return level
}
