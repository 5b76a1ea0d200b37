/** `turnward start`: runs the gateway until it is told to stop. */
import { availableParallelism } from 'node:os'
import type { Command } from 'commander'
import type { RunningConfig } from '../../config/running-config.ts'
import { asTurnwardError } from '../../core/error.ts'
import { beginStart, endStart } from '../../core/garbage.ts'
import type { Logger } from '../../core/logger.ts'
import { WaitingLogger } from '../../core/waiting-logger.ts'
import { createLogger, type LogLevel } from '../../telemetry/logger.ts'
import type { Telemetry } from '../../telemetry/telemetry.ts'
import { firstAdministratorText } from '../first-administrator.ts'
import { openConfig, type OpenedConfig } from '../opening-config.ts'
import { fail, print } from '../output.ts'
import { catchUnhandledErrors, type UnhandledKind } from '../unhandled-errors.ts'
import { configOption, jsonOption, logLevelOf } from '../shared-options.ts'
import { version } from '../version.ts'

/** By then servers are connected, or being retried. */
const settledMs = 1000

interface StartOptions {
  readonly config: string
  readonly json?: boolean
  readonly logLevel?: string
}

export function addStart(program: Command): void {
  program
    .command('start')
    .description('start the gateway')
    .addOption(configOption())
    .option('--log-level <level>', 'debug, info, warn, error or silent; default: `telemetry.logs.level`')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ turnward start --config turnward.yaml\n\nSIGHUP reloads the configuration, SIGTERM drains and stops.',
    )
    .action(start)
}

async function start(options: StartOptions): Promise<void> {
  beginStart()
  try {
    const asked = logLevelOf(options.logLevel)
    // The level is known once the configuration is; a mistake in it is told before anything starts.
    const waiting = new WaitingLogger()
    const read = await openConfig({ configPath: options.config, env: process.env, logger: waiting })
    const { settings } = read.config.current
    const level = asked ?? settings.telemetry.logs.level
    const workers = settings.workers === 'auto' ? availableParallelism() : settings.workers
    const logger = createLogger({ level, base: { version } })
    const unhandled = catchUnhandledErrors(logger)
    waiting.handOnTo(logger)
    const gateway =
      workers === 1 ? await openAlone(options.config, read, logger) : await openSeveral(options.config, read, logger, level, workers)
    unhandled.opened(gateway.count)
    const { revision } = gateway.config.current
    if (gateway.config.current.policy.posture === 'observe')
      logger.warn(
        { posture: 'observe' },
        'contracts and rules are not enforced: `turnward policy readiness` tells what `posture: standard` would refuse',
      )
    print(options, { event: 'ready', url: gateway.url, revision }, `Turnward is ready at ${gateway.url} (revision ${revision})`)
    // To the terminal alone: it is no line of the log, and no part of what `--json` prints.
    const { isTTY } = process.stdout
    const first = options.json === true ? undefined : await firstAdministratorText(gateway.config.current, gateway.url, isTTY)
    if (first !== undefined) print(options, {}, first)
    setTimeout(endStart, settledMs).unref()
    process.on('SIGHUP', () => {
      gateway.config
        .reload('SIGHUP')
        .catch((error: unknown) => logger.error({ code: asTurnwardError(error).code }, 'the configuration could not be reloaded'))
    })
    let stopping = false
    const stop = (signal: string): void => {
      // A second signal means: now.
      if (stopping) process.exit(1)
      stopping = true
      logger.info({ signal }, 'draining')
      gateway.close().then(
        () => process.exit(0),
        (error: unknown) => {
          logger.error({ code: asTurnwardError(error).code }, 'the gateway did not stop cleanly')
          process.exit(1)
        },
      )
    }
    process.on('SIGTERM', () => stop('SIGTERM'))
    process.on('SIGINT', () => stop('SIGINT'))
  } catch (error) {
    fail(options, error)
  }
}

interface RunningGateway {
  readonly url: string
  readonly config: RunningConfig
  /** Counts an error that nobody handled. */
  readonly count: (kind: UnhandledKind) => void
  close(): Promise<void>
}

async function openAlone(configPath: string, { config, store }: OpenedConfig, logger: Logger): Promise<RunningGateway> {
  const { openGateway } = await import('../gateway.ts')
  const gateway = await openGateway({ configPath, env: process.env, logger, config, store })
  return { url: gateway.url, config, close: () => gateway.close(), count: counterOf(gateway.services.telemetry) }
}

async function openSeveral(
  configPath: string,
  { config, store }: OpenedConfig,
  logger: Logger,
  level: LogLevel,
  size: number,
): Promise<RunningGateway> {
  // They read it in a way of their own, with what its files held.
  config.close()
  await store.close()
  // Each way of running holds nothing of what only the other needs.
  const { openWorkers } = await import('../workers/owner.ts')
  const workers = await openWorkers({ configPath, env: process.env, logger, level, size })
  return { url: workers.url, config: workers.config, close: () => workers.close(), count: counterOf(workers.telemetry) }
}

function counterOf(telemetry: Telemetry): RunningGateway['count'] {
  return (kind) => telemetry.count('turnward_unhandled_errors_total', { kind })
}
