/** A real Redis (or Valkey) for tests and benchmarks, in a folder of its own, on a free port of the loopback. Gone when it is stopped. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from './free-port.ts'
import { ordinaryUser } from './ordinary-user.ts'

export const redisPassword = 'test-password'

export interface RedisServer {
  readonly port: number
  /** Undefined while it is stopped. */
  readonly pid: number | undefined
  readonly url: string
  /** Ends it without a word, as a crash does. What it held is gone. */
  stop(): Promise<void>
  /** Starts it again on the same port, empty. */
  start(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** The server program on this machine; undefined when there is none. */
export function redisProgram(): string | undefined {
  return ['valkey-server', 'redis-server'].find((program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0)
}

/** Makes and starts a server. `options`: as on its command line. */
export async function startRedis(options: readonly string[] = []): Promise<RedisServer> {
  const program = redisProgram()
  if (program === undefined) throw new Error('Redis is not installed: apt-get install redis-server')
  const server = new RunningRedis(program, await freePort(), options)
  await server.start()
  return server
}

class RunningRedis implements RedisServer {
  readonly port: number
  readonly url: string
  readonly #program: string
  readonly #options: readonly string[]
  readonly #folder = mkdtempSync(join(tmpdir(), 'turnward-redis-'))
  readonly #user = ordinaryUser('redis')
  #child: ChildProcess | undefined

  constructor(program: string, port: number, options: readonly string[]) {
    this.#program = program
    this.port = port
    this.url = `redis://:${redisPassword}@127.0.0.1:${port}`
    this.#options = options
    if (this.#user !== undefined) chownSync(this.#folder, this.#user.uid, this.#user.gid)
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  async start(): Promise<void> {
    const settings = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#folder, '--save', '', '--appendonly', 'no']
    const child = spawn(this.#program, [...settings, '--requirepass', redisPassword, ...this.#options], {
      ...this.#user,
      cwd: this.#folder,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    this.#child = child
    const lines: string[] = []
    const ready = Promise.withResolvers<void>()
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line)
      if (lines.length > 50) lines.shift()
      if (line.includes('Ready to accept connections')) ready.resolve()
    })
    child.once('exit', (code) => ready.reject(new Error(`Redis ended with ${code}:\n${lines.join('\n')}`)))
    await ready.promise
  }

  async stop(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
