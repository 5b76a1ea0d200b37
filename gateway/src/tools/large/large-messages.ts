/**
 * Reads large messages of servers in a few threads, so that nobody else waits meanwhile. Servers take turns; how much may wait is
 * bounded, for all and for each. A thread that dies, or runs out of memory, costs the message it read.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { TurnwardError } from '../../core/error.ts'
import { parseExactJson } from '../../core/exact-json.ts'
import { isObject } from '../../core/json.ts'
import { workerFile } from '../../store/worker-file.ts'
import type { RpcResponse } from '../codec/json-rpc.ts'
import { unavailable } from '../connectors/failure.ts'
import { largeResult } from './large-result.ts'
import type { LargeForm, LargeReading } from './reading-large.ts'

/** A shorter message is read where it arrives: that takes a few milliseconds at most. */
export const largeMessageBytes = 256 * 1024

const mostWaiting = 512 * 1024 * 1024
const mostOfOne = mostWaiting / 2
/** Heap of one thread: a message takes some ten times its length while it is read. */
const heapMb = 2048
/** A thread that has nothing to do for so long is ended. */
const idleMs = 10_000

interface Job {
  readonly server: string
  readonly message: Uint8Array | string
  readonly form: LargeForm
  /** In bytes, or characters; the message itself is given away. */
  readonly size: number
  readonly resolve: (response: RpcResponse) => void
  readonly reject: (error: TurnwardError) => void
}

interface Thread {
  readonly worker: Worker
  job: Job | undefined
  idle: NodeJS.Timeout | undefined
}

export class LargeMessages {
  readonly #most = Math.max(1, Math.min(2, availableParallelism() - 1))
  readonly #threads = new Set<Thread>()
  /** Jobs that wait, by server; the server that comes next is first. */
  readonly #waiting = new Map<string, Job[]>()
  /** Bytes that wait or are being read, by server. */
  readonly #held = new Map<string, number>()

  /** Resolves with the response. Rejects with `mcp.server_unavailable` when it cannot be read, with `mcp.server_busy` when too much waits. */
  read(server: string, message: Buffer | string, form: LargeForm): Promise<RpcResponse> {
    return new Promise((resolve, reject) => {
      const held = this.#held.get(server) ?? 0
      const all = [...this.#held.values()].reduce((sum, bytes) => sum + bytes, 0)
      if (held + message.length > mostOfOne || all + message.length > mostWaiting)
        return reject(
          new TurnwardError('mcp.server_busy', {
            subject: server,
            why: 'it has answered, and too many large results are being read',
            // What has run may not be fit to run again.
            fix: 'See first what the request has done. Ask for less at a time.',
          }),
        )
      this.#held.set(server, held + message.length)
      const waiting = this.#waiting.get(server)
      const { length: size } = message
      const job = { server, message: typeof message === 'string' ? message : ownBytes(message), form, size, resolve, reject }
      if (waiting === undefined) this.#waiting.set(server, [job])
      else waiting.push(job)
      this.#next()
    })
  }

  async close(): Promise<void> {
    for (const jobs of this.#waiting.values()) for (const job of jobs) this.#end(job, () => job.reject(cannotBeRead(job)))
    this.#waiting.clear()
    await Promise.all([...this.#threads].map(({ worker }) => worker.terminate()))
  }

  #next(): void {
    const thread = [...this.#threads].find(({ job }) => job === undefined) ?? (this.#threads.size < this.#most ? this.#start() : undefined)
    const job = thread === undefined ? undefined : this.#take()
    if (thread === undefined || job === undefined) return
    clearTimeout(thread.idle)
    thread.job = job
    thread.worker.ref()
    const { message, form } = job
    thread.worker.postMessage({ message, form }, typeof message === 'string' ? [] : [message.buffer as ArrayBuffer])
  }

  #take(): Job | undefined {
    const [first] = this.#waiting
    if (first === undefined) return undefined
    const [server, jobs] = first
    const job = jobs.shift()
    // The next one of this server comes after those of the others.
    this.#waiting.delete(server)
    if (jobs.length > 0) this.#waiting.set(server, jobs)
    return job
  }

  #start(): Thread {
    const worker = new Worker(workerFile(import.meta.url, 'large-message-worker'), {
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
      // It needs nothing of ours.
      env: {},
    })
    worker.unref()
    const thread: Thread = { worker, job: undefined, idle: undefined }
    this.#threads.add(thread)
    worker.on('message', (reading: LargeReading) => {
      const { job } = thread
      thread.job = undefined
      if (job !== undefined) this.#end(job, () => answer(job, reading))
      worker.unref()
      thread.idle = setTimeout(() => {
        worker.terminate().catch(() => {})
      }, idleMs)
      thread.idle.unref()
      this.#next()
    })
    // What it dies of is told by what it read.
    worker.on('error', () => {})
    worker.on('exit', () => {
      this.#threads.delete(thread)
      clearTimeout(thread.idle)
      const { job } = thread
      thread.job = undefined
      if (job !== undefined) this.#end(job, () => job.reject(cannotBeRead(job)))
      if (this.#waiting.size > 0) this.#next()
    })
    return thread
  }

  #end(job: Job, settle: () => void): void {
    const { server, size } = job
    const left = (this.#held.get(server) ?? 0) - size
    if (left > 0) this.#held.set(server, left)
    else this.#held.delete(server)
    settle()
  }
}

/** Bytes that lie in no memory of anybody else, so that they can be given away. */
function ownBytes(bytes: Buffer): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
}

function cannotBeRead({ server }: Job): TurnwardError {
  return unavailable(server, 'its answer is too large or too deep to be read')
}

function answer({ server, resolve, reject }: Job, reading: LargeReading): void {
  if ('why' in reading) return reject(unavailable(server, reading.why))
  const { id, small, body, fields, digest, texts, uris } = reading
  const read = parseExactJson(small)
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  resolve({ kind: 'result', id, result: largeResult(isObject(read) ? read : {}, { text, fields, digest, texts, uris }) })
}
