/**
 * Makes the load: raw sockets and prebuilt bytes, so that the generator costs little beside what it measures.
 * Closed loop, or a fixed rate at which a slow answer does not delay the next call. Bounded in time and connections.
 */
import { connect, type Socket } from 'node:net'
import { AnswerReader } from './answer-reader.ts'
import { percentile } from './statistics.ts'

export interface LoadPlan {
  readonly url: string
  readonly connections: number
  readonly ms: number
  /** Bytes of call `n` (counted per connection) on this connection. */
  readonly request: (connection: number, n: number) => Buffer
  /** Calls per second over all connections; without it each connection sends again as soon as it has its answer. */
  readonly rate?: number
}

export interface LoadResult {
  /** Calls answered with 200. */
  readonly count: number
  /** Calls answered otherwise or not at all. */
  readonly errors: number
  readonly seconds: number
  readonly perSecond: number
  /** Milliseconds from sending until the whole answer. */
  readonly p50: number
  readonly p99: number
  /** Milliseconds from sending until the first byte of the body. */
  readonly firstByteP50: number
  readonly firstByteP99: number
}

/** Time running calls get after the end of the load. */
const drainMs = 10_000

/** Runs the load and resolves when every call has ended. */
export async function runLoad(plan: LoadPlan): Promise<LoadResult> {
  const callers = await Promise.all(Array.from({ length: plan.connections }, (_, index) => Caller.open(plan, index)))
  const began = performance.now()
  const stopAt = began + plan.ms
  try {
    if (plan.rate === undefined) await Promise.all(callers.map((caller) => caller.loop(stopAt)))
    else await atRate(callers, plan.rate, stopAt)
  } finally {
    for (const caller of callers) caller.close()
  }
  const seconds = (performance.now() - began) / 1000
  const whole = Float64Array.from(callers.flatMap(({ whole }) => whole)).sort()
  const first = Float64Array.from(callers.flatMap(({ first }) => first)).sort()
  return {
    count: whole.length,
    errors: callers.reduce((sum, { errors }) => sum + errors, 0),
    seconds,
    perSecond: whole.length / seconds,
    p50: percentile(whole, 0.5),
    p99: percentile(whole, 0.99),
    firstByteP50: percentile(first, 0.5),
    firstByteP99: percentile(first, 0.99),
  }
}

/** Hands out calls evenly spaced; one that finds no free connection waits for one, and its waiting counts. */
async function atRate(callers: readonly Caller[], rate: number, stopAt: number): Promise<void> {
  const free = [...callers]
  const waiting: number[] = []
  const running = new Set<Promise<void>>()
  const send = (caller: Caller, since: number): void => {
    const call = caller.call(since).then(() => {
      running.delete(call)
      const next = waiting.shift()
      if (next === undefined) free.push(caller)
      else send(caller, next)
    })
    running.add(call)
  }
  const began = performance.now()
  let sent = 0
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const now = performance.now()
      if (now >= stopAt) {
        clearInterval(timer)
        resolve()
        return
      }
      for (; sent < ((now - began) * rate) / 1000; sent += 1) {
        const caller = free.shift()
        if (caller === undefined) waiting.push(now)
        else send(caller, now)
      }
    }, 1)
  })
  while (running.size > 0) await Promise.all(running)
}

class Caller {
  readonly whole: number[] = []
  readonly first: number[] = []
  errors = 0
  readonly #plan: LoadPlan
  readonly #index: number
  readonly #reader = new AnswerReader()
  #socket: Socket
  #n = 0
  #sentAt = 0
  #done: (() => void) | undefined

  static async open(plan: LoadPlan, index: number): Promise<Caller> {
    return new Caller(plan, index, await dial(plan.url))
  }

  constructor(plan: LoadPlan, index: number, socket: Socket) {
    this.#plan = plan
    this.#index = index
    this.#socket = socket
    this.#listen()
  }

  async loop(stopAt: number): Promise<void> {
    while (performance.now() < stopAt) await this.call(performance.now())
  }

  /** One call. Resolves when it has ended, whatever the end. */
  async call(since: number): Promise<void> {
    if (this.#socket.destroyed) {
      this.#socket = await dial(this.#plan.url)
      this.#listen()
    }
    this.#reader.reset()
    this.#sentAt = since
    await new Promise<void>((resolve) => {
      this.#done = resolve
      this.#socket.write(this.#plan.request(this.#index, this.#n))
    })
    this.#n += 1
  }

  close(): void {
    this.#socket.destroy()
  }

  #listen(): void {
    this.#socket.setTimeout(drainMs, () => this.#socket.destroy())
    this.#socket.on('data', (chunk) => this.#take(chunk))
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => this.#end(false))
  }

  #take(chunk: Buffer): void {
    const hadBody = this.#reader.bodyBegan
    const ended = this.#reader.push(chunk)
    if (!hadBody && this.#reader.bodyBegan && this.#reader.status === 200) this.first.push(performance.now() - this.#sentAt)
    if (ended) this.#end(this.#reader.status === 200)
  }

  #end(answered: boolean): void {
    const done = this.#done
    if (done === undefined) return
    this.#done = undefined
    if (answered) this.whole.push(performance.now() - this.#sentAt)
    else this.errors += 1
    done()
  }
}

function dial(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true }, () => {
      socket.off('error', reject)
      resolve(socket)
    })
    socket.once('error', reject)
  })
}

/** One call, with its body: to see that what is about to be measured does what it should. Rejects unless the answer is a 200 that holds `marker`. */
export async function checkCall(url: string, request: Buffer, marker: string): Promise<void> {
  const socket = await dial(url)
  const reader = new AnswerReader()
  const parts: Buffer[] = []
  await new Promise<void>((resolve) => {
    socket.setTimeout(drainMs, () => socket.destroy())
    socket.on('data', (chunk) => {
      parts.push(chunk)
      if (reader.push(chunk)) resolve()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    socket.write(request)
  })
  socket.destroy()
  const text = Buffer.concat(parts).toString('utf8')
  if (reader.status !== 200 || !text.includes(marker)) throw new Error(`${url} answered unexpectedly: ${text.slice(0, 600)}`)
}
