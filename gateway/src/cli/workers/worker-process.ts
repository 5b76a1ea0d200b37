/** One worker as its owner sees it: a process, the link to it, and how far it has come. */
import type { Worker } from 'node:cluster'
import type { Socket } from 'node:net'
import { Link, type LinkHandler } from './link.ts'
import type { Hello } from './messages.ts'

/** Which of a worker's files the link is. */
const linkFile = 4
const endsWithinMs = 2000

export interface WorkerProcessOptions {
  readonly process: Worker
  /** Which of the workers it is, from 0. */
  readonly worker: number
  readonly hello: Hello
  readonly handlers: (of: WorkerProcess) => Readonly<Record<string, LinkHandler>>
  /** It is gone; `how` says in words how it ended. */
  readonly onExit: (of: WorkerProcess, how: string) => void
}

export class WorkerProcess {
  readonly worker: number
  /** Unlike every other process that ever was a worker here. */
  readonly name: string
  readonly link: Link
  readonly startedAt = performance.now()
  readonly exited: Promise<void>
  readonly #process: Worker
  /** It answers requests. */
  isReady = false
  /** It said itself why it ends. */
  hasFailed = false

  constructor({ process, worker, hello, handlers, onExit }: WorkerProcessOptions) {
    this.worker = worker
    this.name = `${worker}.${process.process.pid ?? 0}`
    this.#process = process
    // A process that could not be started at all has none.
    process.on('error', () => {})
    this.link = new Link({ socket: process.process.stdio[linkFile] as Socket, handlers: handlers(this), onEnd: () => this.#endSoon() })
    this.exited = new Promise((resolve) => {
      process.on('exit', (code, signal) => {
        this.isReady = false
        this.link.close()
        resolve()
        onExit(this, signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`)
      })
    })
    this.link.tell('hello', { head: hello })
  }

  get pid(): number {
    return this.#process.process.pid ?? 0
  }

  /** A worker without its link ends by itself; one that cannot is ended. */
  #endSoon(): void {
    setTimeout(() => this.kill(), endsWithinMs).unref()
  }

  /** Ends it at once. What it was doing is lost, and only that. */
  kill(): void {
    if (!this.#process.isDead()) this.#process.process.kill('SIGKILL')
  }
}
