/**
 * A worker: one of several processes that share a listener. It serves like a gateway that is alone, except that what all
 * must share belongs to the process that started it; without that one nothing may be decided, so it ends with it.
 */
import { Socket } from 'node:net'
import { beginStart, endStart } from '../../core/garbage.ts'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import type { DiskReading } from '../../config/disk.ts'
import { ConfigError } from '../../config/problems.ts'
import { VersionedState } from '../../state/versioned/versioned-state.ts'
import { createLogger } from '../../telemetry/logger.ts'
import { openGateway, type Gateway } from '../gateway.ts'
import { catchUnhandledErrors } from '../unhandled-errors.ts'
import { version } from '../version.ts'
import { FollowedConfig } from './followed-config.ts'
import { Link } from './link.ts'
import { LinkLog } from './link-log.ts'
import { LinkPeers } from './link-peers.ts'
import { LinkPlace } from './link-place.ts'
import type { Hello, NotStarted, PeerDelivery, Weather } from './messages.ts'
import { LinkTopics } from './topics.ts'
import type { WholeStatus } from './whole.ts'

/** That the owner is gone its socket says at once; on a machine with much else to do it may be slow, which is no outage. */
const ownerTimeoutMs = 10_000

/** Every worker makes the new configuration before one of them takes it. */
const reloadMs = 60_000

/** Where the owner's end of the link is, among the files of this process. */
const linkFile = 4
/** By then servers are connected, or being retried. */
const settledMs = 1000

beginStart()
// Whoever stops the gateway may signal all its processes; the owner says when, and in which order.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})

const log = new LinkLog(() => link)
const topics = new LinkTopics(() => link)
const peers = new LinkPeers(() => link)
const config = Promise.withResolvers<FollowedConfig>()
config.promise.catch(() => {})
let gateway: Gateway | undefined

const link: Link = new Link({
  socket: new Socket({ fd: linkFile, readable: true, writable: true }),
  // Nobody may decide without log and state.
  onEnd: () => process.exit(1),
  handlers: {
    hello(head) {
      start(head as Hello).catch((error: unknown) => fail(error))
      return { head: null }
    },
    async prepare(head) {
      return { head: await (await config.promise).prepare(head as DiskReading) }
    },
    async commit(head) {
      return { head: (await config.promise).commit(String(head)) }
    },
    async weather(head) {
      const { audit, problem } = head as Weather
      log.ownerSays(audit ?? undefined)
      ;(await config.promise).problem = problem ?? undefined
      return { head: null }
    },
    announced(head) {
      topics.announced(String(head))
      return { head: null }
    },
    peer(head) {
      peers.take(head as PeerDelivery)
      return { head: null }
    },
    report() {
      return { head: { metrics: gateway?.services.telemetry.metricsData() ?? [], servers: gateway?.services.fleet.status() ?? [] } }
    },
    async drain() {
      await gateway?.close()
      return { head: null }
    },
    leave() {
      process.exit(0)
    },
  },
})

async function start({ worker, processes, level, config: given, audit }: Hello): Promise<void> {
  const logger: Logger = createLogger({ level, base: { version, worker } })
  const unhandled = catchUnhandledErrors(logger)
  log.ownerSays(audit ?? undefined)
  const askOwner = async (): Promise<boolean> => (await link.ask('reload', { head: null }, reloadMs)).head === true
  const followed = await FollowedConfig.open(given, process.env, logger, askOwner)
  config.resolve(followed)
  const state = new VersionedState(new LinkPlace(link, topics, ownerTimeoutMs))
  const opened = await openGateway({
    configPath: given.path,
    env: process.env,
    logger,
    config: followed,
    crew: {
      worker,
      processes,
      owned: { log, state },
      peers,
      whole: {
        worker,
        metricsText: async () => (await link.ask('metrics', { head: null })).texts[0] ?? '',
        status: async () => (await link.ask('status', { head: null })).head as WholeStatus,
      },
    },
  })
  gateway = opened
  unhandled.opened((kind) => opened.services.telemetry.count('turnward_unhandled_errors_total', { kind }))
  setTimeout(endStart, settledMs).unref()
  link.tell('ready', { head: opened.url })
}

function fail(thrown: unknown): void {
  config.reject(thrown)
  const error = asTurnwardError(thrown)
  const text = thrown instanceof ConfigError ? thrown.text : error.message
  const { code, subject, why, fix } = error instanceof TurnwardError ? error : asTurnwardError(error)
  const told: NotStarted = { error: { code, text, subject: subject ?? null, why: why ?? null, fix } }
  link
    .ask('failed', { head: told })
    .catch(() => {})
    .finally(() => process.exit(1))
}
