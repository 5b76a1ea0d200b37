/**
 * Keeps the workers alive: starts so many, replaces one that ended, waits longer when it ends again and again, and takes
 * all of them down in order. What they ask for is answered by whoever owns it; this file only knows who there is.
 */
import cluster from 'node:cluster'
import { getCompileCacheDir } from 'node:module'
import { fileURLToPath } from 'node:url'
import { errorCodes, type ErrorCodeName } from '@turnward/contract/error-codes'
import { TurnwardError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import { workerFile } from '../../store/worker-file.ts'
import type { LinkHandler } from './link.ts'
import type { Hello, NotStarted } from './messages.ts'
import { WorkerProcess } from './worker-process.ts'

export interface CrewOptions {
  readonly size: number
  readonly logger: Logger
  readonly hello: (worker: number) => Hello
  /** What workers may ask for. */
  readonly handlers: (of: WorkerProcess) => Readonly<Record<string, LinkHandler>>
  /** A worker is gone, for whatever reason. */
  readonly onGone: (gone: WorkerProcess) => void
}

/** A worker that lived so long did not end because of what every worker does first. */
const provenMs = 30_000
const firstPauseMs = 100
const longestPauseMs = 10_000

export class Crew {
  readonly #options: CrewOptions
  readonly #alive = new Set<WorkerProcess>()
  /** How often each worker ended early, one time after another. */
  readonly #failures = new Map<number, number>()
  readonly #pauses = new Set<NodeJS.Timeout>()
  #started: PromiseWithResolvers<string> | undefined
  #isStopping = false

  constructor(options: CrewOptions) {
    this.#options = options
  }

  /** Starts all of them. Resolves with the address they answer at when all do; rejects with why the first could not. */
  async start(): Promise<string> {
    // They take connections from one queue in the kernel. Given out one by one here, a connection would be lost without a
    // word when the worker it was given to dies before it takes it.
    cluster.schedulingPolicy = cluster.SCHED_NONE
    cluster.setupPrimary({
      exec: fileURLToPath(workerFile(import.meta.url, 'serving-worker')),
      args: [],
      execArgv: [...process.execArgv],
      // The last one is the link.
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'],
    })
    this.#started = Promise.withResolvers()
    for (let worker = 0; worker < this.#options.size; worker += 1) this.#fork(worker)
    try {
      return await this.#started.promise
    } finally {
      this.#started = undefined
    }
  }

  /** Those that have been started and live. */
  get alive(): readonly WorkerProcess[] {
    return [...this.#alive]
  }

  /** Those that answer requests. */
  get ready(): readonly WorkerProcess[] {
    return this.alive.filter(({ isReady }) => isReady)
  }

  /** No worker takes work any more; resolves when the calls of all have ended, and the workers with them. After `withinMs` they are ended. */
  async drain(withinMs: number): Promise<void> {
    this.#isStopping = true
    for (const pause of this.#pauses) clearTimeout(pause)
    const force = setTimeout(() => this.kill(), withinMs)
    await Promise.all(
      this.alive.map(async (member) => {
        if (!member.isReady) return member.kill()
        await member.link.ask('drain', { head: null }).catch(() => {})
        member.link.tell('leave', { head: null })
      }),
    )
    await Promise.all(this.alive.map(({ exited }) => exited))
    clearTimeout(force)
  }

  /** Ends all of them at once. */
  kill(): void {
    this.#isStopping = true
    for (const member of this.#alive) member.kill()
  }

  #fork(worker: number): void {
    const cache = getCompileCacheDir()
    const member = new WorkerProcess({
      process: cluster.fork(cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }),
      worker,
      hello: this.#options.hello(worker),
      handlers: (of) => ({ ...this.#options.handlers(of), ...this.#ownHandlers(of) }),
      onExit: (of, how) => this.#gone(of, how),
    })
    this.#alive.add(member)
  }

  #ownHandlers(member: WorkerProcess): Readonly<Record<string, LinkHandler>> {
    return {
      ready: (head) => {
        member.isReady = true
        const { logger, size } = this.#options
        logger.info({ worker: member.worker, pid: member.pid }, 'a worker answers requests')
        if (this.ready.length === size) this.#started?.resolve(String(head))
        return { head: null }
      },
      failed: (head) => {
        const error = errorOf(head as NotStarted)
        member.hasFailed = true
        if (this.#started === undefined)
          this.#options.logger.error({ worker: member.worker, code: error.code, problem: error.message }, 'a worker could not start')
        this.#started?.reject(error)
        return { head: null }
      },
    }
  }

  #gone(member: WorkerProcess, how: string): void {
    if (!this.#alive.delete(member)) return
    this.#options.onGone(member)
    if (this.#started !== undefined) {
      this.#started.reject(new TurnwardError('gateway.internal', { subject: `worker ${member.worker}`, why: how }))
      return
    }
    if (this.#isStopping) return
    const { worker, pid, startedAt } = member
    const failures = performance.now() - startedAt >= provenMs ? 0 : (this.#failures.get(worker) ?? 0)
    this.#failures.set(worker, failures + 1)
    const pauseMs = failures === 0 ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** failures)
    this.#options.logger.error({ worker, pid, how, again: failures, pauseMs }, 'a worker has ended; its calls are lost, and it is replaced')
    const pause = setTimeout(() => {
      this.#pauses.delete(pause)
      if (!this.#isStopping) this.#fork(worker)
    }, pauseMs)
    this.#pauses.add(pause)
  }
}

function errorOf({ error: { code, text, subject, why, fix } }: NotStarted): TurnwardError {
  if (!Object.hasOwn(errorCodes, code)) return new TurnwardError('gateway.internal', { why: text })
  return new TurnwardError(code as ErrorCodeName, { subject: subject ?? undefined, why: why ?? undefined, fix })
}
