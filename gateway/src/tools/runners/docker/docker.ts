/**
 * The runner that makes a container of a server through the API of the Docker Engine. A container belongs to the process that
 * started it: it is removed when it has ended, whatever the reason, and by the next process when this one was killed.
 */
import { existsSync, realpathSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { TurnwardError } from '../../../core/error.ts'
import { randomText } from '../../../core/ids.ts'
import { isObject } from '../../../core/json.ts'
import type { Logger } from '../../../core/logger.ts'
import { unavailable } from '../../connectors/failure.ts'
import { stdioConfig, type StdioConfig } from '../resource-limits.ts'
import { endsByItself, hasEnded, isRemoved, remoteServer, type RemoteLife } from '../remote-server.ts'
import type { Runner, RunnerOptions, RunningServer } from '../runner.ts'
import { endReason } from '../running-process.ts'
import { checkMounts, type Mount } from '../sandbox-mounts.ts'
import { attachedStreams } from './attached-streams.ts'
import { containerSpec, dockerCommand, dockerSettings } from './container-spec.ts'
import { EngineApi, EngineError } from './engine-api.ts'
import { haveImage } from './images.ts'
import { gatewayId, processId, removeLeftovers } from './leftover-containers.ts'

export interface DockerRunnerOptions {
  /** Host paths no server may see. */
  readonly protect?: readonly string[] | undefined
}

const stopMs = 2000
/** For the rest of the output of a container that has ended. */
const lastWordsMs = 1000

/** A runner of containers. Errors of `start`: `mcp.server_unavailable` with what the engine says, `sandbox.limits`, `config.invalid`. */
export function createDockerRunner(options: DockerRunnerOptions): Runner {
  /** By socket and gateway: what earlier processes left behind is removed once, before anything is started. */
  const cleaned = new Map<string, Promise<void>>()
  const clean = (api: EngineApi, socket: string, gateway: string, logger: Logger): Promise<void> => {
    const key = `${socket} ${gateway}`
    const cleaning = cleaned.get(key) ?? removeLeftovers(api, gateway, logger)
    cleaned.set(key, cleaning)
    cleaning.catch(() => cleaned.delete(key))
    return cleaning
  }
  return {
    name: 'docker',
    async available(server) {
      if (server === undefined) return undefined
      const { socket } = dockerSettings(server.name, stdioConfig(server.name, server.config))
      return new EngineApi(socket).must('GET', '/containers/json?limit=1').then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      )
    },
    describe: ({ server, workDir }) => {
      const config = stdioConfig(server.name, server.config)
      return dockerCommand(server.name, config, mountsOf(server.name, config, options, workDir))
    },
    async start(runnerOptions) {
      const { server, workDir, logger } = runnerOptions
      const config = stdioConfig(server.name, server.config)
      const { socket } = dockerSettings(server.name, config)
      const mounts = mountsOf(server.name, config, options, workDir)
      const api = new EngineApi(socket)
      try {
        await clean(api, socket, gatewayId(workDir), logger)
        return await startContainer(api, runnerOptions, config, mounts)
      } catch (error) {
        throw error instanceof EngineError ? unavailable(server.name, error.message, error) : error
      }
    },
  }
}

function mountsOf(server: string, config: StdioConfig, { protect = [] }: DockerRunnerOptions, workDir: string): Mount[] {
  const hidden = [...protect, workDir].flatMap((path) => (existsSync(path) ? [path, realpathSync(path)] : [path]))
  return checkMounts(server, config.mounts, hidden)
}

async function startContainer(
  api: EngineApi,
  { server, workDir, logger }: RunnerOptions,
  config: StdioConfig,
  mounts: readonly Mount[],
): Promise<RunningServer> {
  const settings = dockerSettings(server.name, config)
  await haveImage(api, settings)
  const body = containerSpec({ server: server.name, config, mounts, gateway: gatewayId(workDir), process: processId() })
  const made = await api.must('POST', `/containers/create?name=turnward-${server.name}-${randomText(8)}`, { body })
  const id = isObject(made) && typeof made.Id === 'string' ? made.Id : undefined
  if (id === undefined) throw new EngineError('the Docker Engine made a container and did not say which')
  const container = new Container(api, id, server.name, logger)
  try {
    const isBounded = boundsHold(server.name, config, made, logger)
    const streams = attachedStreams(await api.attach(id))
    await api.must('POST', `/containers/${id}/start`).catch((error: unknown) => {
      streams.destroy()
      throw error
    })
    return remoteServer(container, streams, isBounded)
  } catch (error) {
    await container.remove()
    throw error
  }
}

/** An engine whose kernel cannot bound something makes the container all the same, and says so in a warning. */
function boundsHold(server: string, config: StdioConfig, made: unknown, logger: Logger): boolean {
  const warnings = isObject(made) && Array.isArray(made.Warnings) ? made.Warnings.filter((warning) => typeof warning === 'string') : []
  if (warnings.length > 0) logger.warn({ server, warnings }, 'the Docker Engine warns of the container of an MCP server')
  if (!warnings.some((warning) => /limit/i.test(warning))) return true
  if (config.limits.unenforced === 'accept') return false
  throw new TurnwardError('sandbox.limits', {
    subject: server,
    why: `the Docker Engine does not bound the container: ${warnings.join('; ')}`,
    fix: 'Give the engine the controllers of cgroups, or set `limits.unenforced: accept` for this server.',
  })
}

/** One container from its start to its removal. */
class Container implements RemoteLife {
  readonly #api: EngineApi
  readonly #id: string
  readonly #server: string
  readonly #logger: Logger

  constructor(api: EngineApi, id: string, server: string, logger: Logger) {
    this.#api = api
    this.#id = id
    this.#server = server
    this.#logger = logger
  }

  /** Resolves with why it ended, when nothing of it is left. */
  async watch(detached: Promise<void>): Promise<string> {
    const ended = this.#untilEnded()
    // Without its streams it is of no use, and nobody would end it.
    detached
      .then(async () => {
        if (!(await hasEnded(ended, stopMs))) await this.#kill()
      })
      .catch(() => {})
    const why = await ended
    await Promise.race([detached, wait(lastWordsMs)])
    await this.remove()
    return why
  }

  async stop(graceMs: number, ended: Promise<string>, endInput: () => void, cutOff: () => void): Promise<void> {
    if (graceMs > 0) {
      if (await endsByItself(graceMs, ended, endInput)) return
      // Waits as long as we would, and then kills.
      const seconds = Math.ceil(graceMs / 1000)
      await this.#api.ask('POST', `/containers/${this.#id}/stop?t=${seconds}`).catch(() => {})
    } else await this.#kill()
    if (!(await hasEnded(ended, stopMs))) await this.remove()
    cutOff()
    await hasEnded(ended, stopMs)
  }

  /** Removes it, running or not. Never rejects: what is left is found by the next process. */
  async remove(): Promise<void> {
    // 409: another removal is under way.
    if (await isRemoved(() => this.#api.ask('DELETE', `/containers/${this.#id}?force=1&v=1`), [404, 409])) return
    this.#logger.error({ server: this.#server, container: this.#id.slice(0, 12) }, 'the container of an MCP server could not be removed')
  }

  async #kill(): Promise<void> {
    await this.#api.ask('POST', `/containers/${this.#id}/kill?signal=SIGKILL`).catch(() => {})
  }

  async #untilEnded(): Promise<string> {
    try {
      const answer = await this.#api.ask('POST', `/containers/${this.#id}/wait?condition=not-running`, { timeoutMs: 0 })
      const status = isObject(answer.body) && typeof answer.body.StatusCode === 'number' ? answer.body.StatusCode : undefined
      if (status === undefined) return 'the container is gone'
      const { body } = await this.#api.ask('GET', `/containers/${this.#id}/json`)
      const state = isObject(body) && isObject(body.State) ? body.State : {}
      return state.OOMKilled === true ? 'memory limit' : endReason(status, null, false)
    } catch {
      return 'the Docker Engine is gone'
    }
  }
}
