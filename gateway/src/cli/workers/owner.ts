/**
 * The process that owns what several workers share: the configuration as it is read, the one writer of the decision log, and
 * the memory of the state. It answers no requests itself, so that nothing a request does can end it.
 */
import { openDecisionLog } from '../../audit/log-writer.ts'
import type { Environment } from '../../config/load.ts'
import { keptOf, type Agree, type RunningConfig } from '../../config/running-config.ts'
import type { DiskReading } from '../../config/disk.ts'
import { systemClock } from '../../core/clock.ts'
import { asTurnwardError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import { openMemoryPlace } from '../../state/versioned/memory-place.ts'
import type { LogLevel } from '../../telemetry/logger.ts'
import { createTelemetry } from '../../telemetry/opentelemetry.ts'
import type { Telemetry } from '../../telemetry/telemetry.ts'
import { checkpointsOf, holdMemoryState, mostStateEntries } from '../opening-places.ts'
import { followRevisions, openConfig } from '../opening-config.ts'
import { openingSettingsOf, openStoreAndLogPlace } from '../places.ts'
import { version } from '../version.ts'
import { Crew } from './crew.ts'
import type { LinkHandler } from './link.ts'
import { logHandlers } from './link-log.ts'
import { placeHandlers } from './link-place.ts'
import type { PeerMessage, Weather } from './messages.ts'
import { OwnedTopics } from './topics.ts'
import { WholeCrew } from './whole-crew.ts'
import type { WorkerProcess } from './worker-process.ts'

export interface OwnerOptions {
  readonly configPath: string
  readonly env: Environment
  readonly logger: Logger
  readonly level: LogLevel
  readonly size: number
}

export interface RunningWorkers {
  readonly url: string
  readonly config: RunningConfig
  readonly telemetry: Telemetry
  /** Takes no work any more, lets running calls finish, writes everything down. */
  close(): Promise<void>
}

/** How long a worker may take to make a new configuration. */
const prepareMs = 30_000
const weatherMs = 100
/** Time beyond `limits.drain_ms` for connections to close and logs to be written. */
const drainExtraMs = 10_000

export async function openWorkers({ configPath, env, logger, level, size }: OwnerOptions): Promise<RunningWorkers> {
  let crew: Crew | undefined
  const agree: Agree = (next, reading) => prepareAll(crew?.alive ?? [], next.revision, reading)
  const { config, store } = await openConfig({ configPath, env, logger, agree })
  const opened: { close(): Promise<void> }[] = [store, { close: async () => config.close() }]
  try {
    const { current } = config
    const { settings } = current
    const telemetry = await createTelemetry({ settings: settings.telemetry, version, logger })
    opened.push({ close: () => telemetry.shutdown() })
    const { log: logPlace } = await openStoreAndLogPlace(openingSettingsOf(current), 0, store)
    const log = await openDecisionLog({
      place: logPlace,
      ...checkpointsOf(settings),
      logger,
      onFailure: () => {
        telemetry.count('turnward_audit_failures_total')
        tellWeather()
      },
    })
    opened.push(log)
    await holdMemoryState(current, logger, opened)
    const place = await openMemoryPlace({ entries: store.entries, clock: systemClock, maxEntries: mostStateEntries(settings) })
    opened.push(place)

    const topics = new OwnedTopics()
    const shared = { ...logHandlers(log), ...placeHandlers(place, (announced) => topics.announce(announced)) }
    const kept = keptOf(current)
    const weather = (): Weather => ({ audit: log.health() ?? null, problem: config.problem ?? null })
    const started = new Crew({
      size,
      logger,
      hello: (worker) => ({
        worker,
        processes: size,
        level,
        audit: weather().audit,
        config: { path: configPath, reading: config.reading as DiskReading, kept, problem: weather().problem },
      }),
      handlers: (of): Readonly<Record<string, LinkHandler>> => ({
        ...shared,
        ...topicHandlers(topics, of),
        ...whole.handlers(),
        reload: async () => ({ head: await config.reload('a worker asks') }),
        peer: (head) => {
          passOn(started, of, head as PeerMessage)
          return { head: null }
        },
      }),
      onGone: (gone) => {
        topics.forget(gone.link)
        whole.forget(gone)
      },
    })
    crew = started
    const whole = new WholeCrew(started, size, telemetry)
    telemetry.observe('turnward_audit_pending', () => log.pending())
    let told = JSON.stringify(weather())
    const tellWeather = (): void => {
      const now = weather()
      const text = JSON.stringify(now)
      if (text === told) return
      told = text
      for (const { link } of started.alive) link.tell('weather', { head: now })
    }
    const watching = setInterval(tellWeather, weatherMs)
    watching.unref()
    config.onSwap(({ revision }) => {
      telemetry.count('turnward_config_reloads_total')
      // First: whoever runs on the new revision no longer says that it was refused.
      tellWeather()
      commitAll(started.alive, revision, logger)
    })
    const url = await started.start()
    opened.push(followRevisions({ store, log, config, clock: systemClock, logger }))
    return {
      url,
      config,
      telemetry,
      async close() {
        await started.drain(config.current.settings.limits.drain_ms + drainExtraMs)
        clearInterval(watching)
        await closeAll(opened, logger)
      },
    }
  } catch (error) {
    crew?.kill()
    await closeAll(opened, logger)
    throw error
  }
}

/** The first step of a reload: every worker makes the new configuration. Resolves with why one cannot. */
async function prepareAll(workers: readonly WorkerProcess[], revision: string, reading: DiskReading): Promise<string | undefined> {
  const answers = await Promise.all(workers.map((member) => prepare(member, revision, reading)))
  return answers.find((why) => why !== undefined)
}

async function prepare({ link, worker }: WorkerProcess, revision: string, reading: DiskReading): Promise<string | undefined> {
  try {
    const { head } = await link.ask('prepare', { head: reading }, prepareMs)
    return head === revision ? undefined : `worker ${worker} reads another revision of it`
  } catch (error) {
    // Whoever replaces a worker that is gone starts with what runs then.
    return link.hasEnded ? undefined : `worker ${worker} cannot take it: ${asTurnwardError(error).message}`
  }
}

/** The second step. A worker that does not take what it has agreed to may not go on with something else. */
function commitAll(workers: readonly WorkerProcess[], revision: string, logger: Logger): void {
  for (const member of workers)
    member.link.ask('commit', { head: revision }, prepareMs).then(
      ({ head }) => head === true || endUnwilling(member, logger),
      () => endUnwilling(member, logger),
    )
}

function endUnwilling(member: WorkerProcess, logger: Logger): void {
  if (member.link.hasEnded) return
  logger.error({ worker: member.worker }, 'a worker did not take the new configuration and is replaced')
  member.kill()
}

function topicHandlers(topics: OwnedTopics, of: WorkerProcess): Readonly<Record<string, LinkHandler>> {
  return {
    listen(head) {
      topics.listen(of.link, String(head))
      return { head: null }
    },
    unlisten(head) {
      topics.unlisten(of.link, String(head))
      return { head: null }
    },
  }
}

function passOn(crew: Crew, from: WorkerProcess, { to, kind, message }: PeerMessage): void {
  for (const member of crew.alive)
    if (member !== from && (to === null || member.name === to)) member.link.tell('peer', { head: { from: from.name, kind, message } })
}

async function closeAll(opened: readonly { close(): Promise<void> }[], logger: Logger): Promise<void> {
  for (const room of [...opened].reverse())
    await room.close().catch((error: unknown) => logger.error({ err: error }, 'a room did not close cleanly'))
}
