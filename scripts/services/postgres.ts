/**
 * A real PostgreSQL for tests and benchmarks: Debian's, in a folder of its own, on a free port of the loopback, run by an
 * ordinary user because it refuses to be root. Gone with its folder when it is stopped.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from './free-port.ts'
import { ordinaryUser, type OrdinaryUser } from './ordinary-user.ts'

export const postgresPassword = 'test-password'

export interface PostgresServer {
  readonly port: number
  /** Of its first process; undefined while it is stopped. */
  readonly pid: number | undefined
  /** The address of a database, for the administrator unless another user is named. */
  url(database?: string, user?: string): string
  /** Stops it: `fast` ends sessions, `immediate` is a crash. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>
  /** Starts it again on the same port and data. */
  start(): Promise<void>
  /** Where its data is, for copies of it. */
  readonly folder: string
  [Symbol.asyncDispose](): Promise<void>
}

/** The newest server programs on this machine; undefined when there are none. */
export function postgresPrograms(): string | undefined {
  const root = '/usr/lib/postgresql'
  if (!existsSync(root)) return undefined
  const versions = readdirSync(root).sort((one, other) => Number(other) - Number(one))
  return versions.map((version) => join(root, version, 'bin')).find((bin) => existsSync(join(bin, 'postgres')))
}

/** Makes and starts a server. `settings`: lines of `postgresql.conf`. `files`: more files of its data folder, by name. */
export async function startPostgres(
  settings: readonly string[] = [],
  files: Readonly<Record<string, string>> = {},
): Promise<PostgresServer> {
  const bin = postgresPrograms()
  if (bin === undefined) throw new Error('PostgreSQL is not installed: apt-get install postgresql')
  const user = ordinaryUser('postgres')
  const root = mkdtempSync(join(tmpdir(), 'turnward-postgres-'))
  const folder = join(root, 'data')
  const passwordFile = join(root, 'password')
  writeFileSync(passwordFile, postgresPassword)
  for (const path of [root, passwordFile]) if (user !== undefined) chownSync(path, user.uid, user.gid)
  const made = spawnSync(
    join(bin, 'initdb'),
    ['-D', folder, '-U', 'admin', '--pwfile', passwordFile, '-A', 'scram-sha-256', '-E', 'UTF8', '--locale', 'C', '--no-sync'],
    { ...user, encoding: 'utf8', env: {}, cwd: root },
  )
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`)
  const port = await freePort()
  writeFileSync(
    join(folder, 'postgresql.auto.conf'),
    [`port = ${port}`, `listen_addresses = '127.0.0.1'`, `unix_socket_directories = ''`, 'max_connections = 200', ...settings].join('\n') +
      '\n',
  )
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    if (user !== undefined) chownSync(join(folder, name), user.uid, user.gid)
  }
  const server = new RunningPostgres(bin, root, port, user)
  await server.start()
  return server
}

class RunningPostgres implements PostgresServer {
  readonly port: number
  readonly folder: string
  readonly #bin: string
  readonly #root: string
  readonly #user: OrdinaryUser | undefined
  #child: ChildProcess | undefined

  constructor(bin: string, root: string, port: number, user: OrdinaryUser | undefined) {
    this.port = port
    this.folder = join(root, 'data')
    this.#bin = bin
    this.#root = root
    this.#user = user
  }

  url(database = 'postgres', user = 'admin'): string {
    return `postgres://${user}:${postgresPassword}@127.0.0.1:${this.port}/${database}`
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  async start(): Promise<void> {
    const child = spawn(join(this.#bin, 'postgres'), ['-D', this.folder], {
      ...this.#user,
      cwd: this.#root,
      env: { LC_ALL: 'C' },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#child = child
    const lines: string[] = []
    const ready = Promise.withResolvers<void>()
    createInterface({ input: child.stderr }).on('line', (line) => {
      lines.push(line)
      if (lines.length > 50) lines.shift()
      if (line.includes('database system is ready to accept connections')) ready.resolve()
    })
    child.once('exit', (code) => ready.reject(new Error(`PostgreSQL ended with ${code}:\n${lines.join('\n')}`)))
    await ready.promise
  }

  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
    await exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('immediate')
    rmSync(this.#root, { recursive: true, force: true })
  }
}
